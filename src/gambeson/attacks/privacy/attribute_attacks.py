"""Attribute inference: guesses of an attribute with the help of a model, and without it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from gambeson.attacks.privacy.imputation import Imputed, impute, stack
from gambeson.core.reproduce import Seed

_MOST_COLUMNS = 64
"""Scores of all classes are evidence only up to so many columns; beyond, the highest of each answer."""


@dataclass(frozen=True, slots=True)
class Rows:
    """Rows with everything about them but the attribute, and what the model says when each value is tried.

    Attributes:
        rest: (n, d) the other features.
        labels: (n,) int64 true labels.
        scores: (n, k, classes) float64 log-probabilities, the row with value v in place of its own.
    """

    rest: np.ndarray
    labels: np.ndarray
    scores: np.ndarray

    @property
    def answers(self) -> np.ndarray:
        """(n, k) predicted class for each value."""
        return np.asarray(self.scores.argmax(axis=2))

    @property
    def likelihood(self) -> np.ndarray:
        """(n, k) log-probability of the true label for each value."""
        return np.take_along_axis(self.scores, self.labels[:, None, None], axis=2)[:, :, 0]


@dataclass(frozen=True, slots=True)
class Inference:
    """Guesses of one attribute by every means.

    Attributes:
        baselines: (n,) guessed codes by name, each made without the model.
        attacks: The same, made with it.
    """

    baselines: dict[str, np.ndarray]
    attacks: dict[str, np.ndarray]


@dataclass(frozen=True, slots=True)
class _Attacker:
    """What he knows: his own rows with their values, and the rows he asks about without."""

    own: Rows
    codes: np.ndarray
    asked: Rows
    values: int
    imputed: Imputed

    @property
    def prior(self) -> np.ndarray:
        """(k,) shares of the values among his rows; none is impossible."""
        counts = np.bincount(self.codes, minlength=self.values) + 0.5
        return np.asarray(counts / counts.sum())


def infer_attribute(own: Rows, codes: np.ndarray, asked: Rows, *, knows_label: bool, seed: Seed) -> Inference:
    """Let every attack guess.

    Args:
        own: The attacker's rows; no training records of the model.
        codes: (m,) their values of the attribute.
        asked: The rows he asks about.
        knows_label: Whether he knows their labels.
        seed: For what he draws.

    Raises:
        Unavailable: scikit-learn is not installed.
    """
    k = own.scores.shape[1]
    known = [np.column_stack([r.rest, r.labels]) if knows_label else r.rest for r in (own, asked)]
    attacker = _Attacker(own, codes, asked, k, impute(known[0], codes, known[1], k, seed))
    attacks = dict(_WITH_EITHER)
    if knows_label:
        attacks |= _WITH_LABEL
    own_imputed, asked_imputed = attacker.imputed.own, attacker.imputed.asked
    baselines = {
        "marginals": _by_marginals(attacker, knows_label=knows_label),
        "imputation": asked_imputed.argmax(axis=1),
        "calibrated imputation": stack(own_imputed, codes, asked_imputed, k).argmax(axis=1),
    }
    if knows_label:  # knowing more should not hurt, but a learner may guess better without the label
        blind = impute(own.rest, codes, asked.rest, k, seed)
        baselines["imputation without the label"] = blind.asked.argmax(axis=1)
    return Inference(baselines, {name: attack(attacker, knows_label) for name, attack in attacks.items()})


def _by_marginals(attacker: _Attacker, *, knows_label: bool) -> np.ndarray:
    """The most frequent value, or the most frequent one among rows of the same label."""
    common = int(attacker.prior.argmax())
    guess = np.full(len(attacker.asked.labels), common)
    if knows_label:
        for label in np.unique(attacker.own.labels):
            counts = np.bincount(attacker.codes[attacker.own.labels == label], minlength=attacker.values)
            guess[attacker.asked.labels == label] = counts.argmax()
    return guess


def _posterior(attacker: _Attacker, knows_label: bool) -> np.ndarray:
    """The value with the largest prior times likelihood of the true label.

    Source: Yeom et al. 2018, arXiv:1709.01604, section 5, and Fredrikson et al. 2014, with the model's own scores in
    place of a confusion matrix.
    """
    return np.asarray((np.log(attacker.prior) + attacker.asked.likelihood).argmax(axis=1))


def _map(attacker: _Attacker, knows_label: bool) -> np.ndarray:
    """The value with the largest prior times chance that the model answers so where the label is the true one.

    Source: Fredrikson et al. 2014, Privacy in pharmacogenetics, algorithm 1; needs labels only.
    """
    own = attacker.own
    said = np.take_along_axis(own.answers, attacker.codes[:, None], axis=1)[:, 0]
    classes = own.scores.shape[2]
    confusion = np.full((classes, classes), 1.0)
    np.add.at(confusion, (own.labels, said), 1.0)
    confusion /= confusion.sum(axis=1, keepdims=True)
    chance = confusion[attacker.asked.labels[:, None], attacker.asked.answers]
    return np.asarray((attacker.prior * chance).argmax(axis=1))


def _csmia(attacker: _Attacker, knows_label: bool) -> np.ndarray:
    """The value with which the model is right and surest; where it is never right, the one with which it is least sure.

    Source: Mehnaz et al. 2022, Are your sensitive attributes private?, arXiv:2201.09370, section 5.1 (CSMIA). Where
    values tie, the most frequent one of them.
    """
    asked = attacker.asked
    sure, right = asked.scores.max(axis=2), asked.answers == asked.labels[:, None]
    merit = np.where(right, sure, -np.inf)
    merit = np.where(right.any(axis=1, keepdims=True), merit, -sure)
    best = np.isclose(merit, merit.max(axis=1, keepdims=True))
    return np.asarray(np.where(best, attacker.prior, -1.0).argmax(axis=1))


def _stacked(attacker: _Attacker, knows_label: bool) -> np.ndarray:
    """Imputation and the model's scores for every value, weighed by regression."""
    return _with_evidence(attacker, lambda rows: _of_scores(rows, knows_label))


def _stacked_labels(attacker: _Attacker, knows_label: bool) -> np.ndarray:
    """Imputation and the model's predicted class for every value, weighed by regression."""
    return _with_evidence(attacker, lambda rows: _of_labels(rows, knows_label))


def _with_evidence(attacker: _Attacker, evidence: Callable[[Rows], np.ndarray]) -> np.ndarray:
    parts = (attacker.imputed.own, attacker.own), (attacker.imputed.asked, attacker.asked)
    own, asked = (np.hstack([imputed, evidence(rows)]) for imputed, rows in parts)
    return np.asarray(stack(own, attacker.codes, asked, attacker.values).argmax(axis=1))


def _of_scores(rows: Rows, knows_label: bool) -> np.ndarray:
    if knows_label:
        return _centred(rows.likelihood[:, :, None])
    _, k, classes = rows.scores.shape
    return _centred(rows.scores if k * classes <= _MOST_COLUMNS else rows.scores.max(axis=2, keepdims=True))


def _of_labels(rows: Rows, knows_label: bool) -> np.ndarray:
    if knows_label:
        return _centred((rows.answers == rows.labels[:, None])[:, :, None].astype(float))
    answers = rows.answers
    _, k, classes = rows.scores.shape
    if k * classes > _MOST_COLUMNS:
        return _centred((answers == answers[:, :1])[:, :, None].astype(float))
    return _centred(np.eye(classes)[answers])


def _centred(evidence: np.ndarray) -> np.ndarray:
    """(n, k * c) less its mean over the values.

    What is left depends on the attribute. A model that ignores it leaves zeros, and the attack is the imputation: what
    its answers say about the other features, which the attacker has, counts as no leak.
    """
    return np.asarray((evidence - evidence.mean(axis=1, keepdims=True)).reshape(len(evidence), -1))


_Attack = Callable[[_Attacker, bool], np.ndarray]
_WITH_EITHER: dict[str, _Attack] = {
    "scores and imputation": _stacked,
    "labels and imputation": _stacked_labels,
}
_WITH_LABEL: dict[str, _Attack] = {"posterior": _posterior, "map": _map, "csmia": _csmia}
