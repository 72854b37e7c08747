"""Runs a membership-inference attack without telling it who is a member, and measures what it found."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from gambeson.attacks.privacy.base import MembershipAttack, MembershipTask, Outsiders
from gambeson.attacks.privacy.references import References
from gambeson.core.errors import UsageError
from gambeson.core.measurement import Measurement
from gambeson.core.reproduce import Seed
from gambeson.core.stats import auc, balanced_accuracy, best_threshold, tpr_at_fpr

FOLDS = 5
"""Parts in which candidates are attacked where an attack needs known non-members: those of the other parts."""


@dataclass(frozen=True, slots=True)
class Candidates:
    """Records with what is known of them, membership included.

    Attributes:
        target: (n, classes) float64 log-probabilities under the target.
        labels: (n,) int64 true classes.
        truth: (n,) bool, who is a member. Never shown to an attack.
        references: What the reference models say.
        features: (n, d) the records themselves; d may be 0.
    """

    target: np.ndarray
    labels: np.ndarray
    truth: np.ndarray
    references: References
    features: np.ndarray = field(default_factory=lambda: np.empty((0, 0), np.float32))

    def __len__(self) -> int:
        return len(self.labels)

    def task(self, rows: np.ndarray, seed: Seed, outsiders: np.ndarray | None = None) -> MembershipTask:
        """What an attack sees of the records ``rows``, beside ``outsiders`` that it knows to be no members."""
        return MembershipTask(
            target=self.target[rows],
            labels=self.labels[rows],
            answers=self.references.answers[:, rows],
            included=self.references.included[:, rows],
            features=self._features[rows],
            outsiders=None if outsiders is None else self._outsiders(outsiders),
            seed=seed,
        )

    def _outsiders(self, rows: np.ndarray) -> Outsiders:
        return Outsiders(self.target[rows], self.labels[rows], self._features[rows])

    @property
    def _features(self) -> np.ndarray:
        return self.features if len(self.features) else np.empty((len(self), 0), np.float32)


@dataclass(frozen=True, slots=True)
class Membership:
    """Membership scores that an attack gave, split by the truth.

    Attributes:
        attack: Its name.
        members: (m,) scores of members.
        nonmembers: (n,) scores of non-members.
    """

    attack: str
    members: np.ndarray
    nonmembers: np.ndarray


def run_inference(
    attack: MembershipAttack, name: str, candidates: Candidates, seed: Seed, *, outsiders: bool = False
) -> Membership:
    """Let an attack score the candidates in a random order.

    With ``outsiders`` the candidates are dealt into five parts, and each part is attacked by someone who knows the
    non-members of the other four: no score rests on what is known of the record itself.

    Args:
        attack: The attack.
        name: Its registered name.
        candidates: The records.
        seed: Decides the order, and what the attack draws.
        outsiders: Whether the attack needs records known to be no members.

    Raises:
        UsageError: The attack gave scores of the wrong shape or NaN, or needs references that are missing.
    """
    order = seed.child("order").generator().permutation(len(candidates))
    scores = np.empty(len(order))
    for rows in np.array_split(order, FOLDS) if outsiders else [order]:
        others = np.setdiff1d(order, rows) if outsiders else None
        known = None if others is None else others[~candidates.truth[others]]
        scores[rows] = _checked(attack.infer(candidates.task(rows, seed.child(name), known)), name, len(rows))
    return Membership(name, scores[candidates.truth], scores[~candidates.truth])


def _checked(given: np.ndarray, name: str, count: int) -> np.ndarray:
    """One number for each candidate, or an error.

    Raises:
        UsageError: The shape is wrong, or a score is NaN.
    """
    given = np.asarray(given, np.float64)
    if given.shape != (count,) or np.isnan(given).any():
        bad = int(np.isnan(given).sum())
        raise UsageError(
            f"The attack {name} gave scores of shape {given.shape}, {bad} of them NaN.",
            expected=f"({count},) numbers, one for each candidate",
        )
    return given


def area(found: Membership, *, name: str = "auc", level: float = 0.95) -> Measurement:
    """Area under the ROC curve; 0.5 is chance.

    Raises:
        InsufficientEvidence: Fewer than two members or non-members.
    """
    return auc(found.members, found.nonmembers, name=name, better="lower", level=level)


def exposure(found: Membership, fpr: float, *, name: str = "", level: float = 0.95) -> Measurement:
    """Share of members recognised where at most ``fpr`` of the non-members are accused; chance is ``fpr``.

    Raises:
        InsufficientEvidence: Fewer than ``1 / fpr`` non-members.
    """
    return tpr_at_fpr(found.members, found.nonmembers, fpr, name=name, level=level)


def accuracy_at_best_threshold(
    found: Membership, seed: Seed, *, name: str = "balanced_accuracy", level: float = 0.95
) -> Measurement:
    """Balanced accuracy on one random half of the records, at the threshold that is best on the other half.

    Raises:
        InsufficientEvidence: Fewer than two members or non-members.
    """
    rng = seed.child("halves").generator()
    (tuning_in, test_in), (tuning_out, test_out) = (
        np.array_split(rng.permutation(scores), 2) for scores in (found.members, found.nonmembers)
    )
    threshold = best_threshold(tuning_in, tuning_out)
    positives = int((test_in >= threshold).sum()), len(test_in)
    negatives = int((test_out < threshold).sum()), len(test_out)
    return balanced_accuracy(name, positives, negatives, better="lower", level=level)
