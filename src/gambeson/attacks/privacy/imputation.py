"""Guessing an attribute from the rest of a row: what an attacker can do without the model."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from gambeson.core.errors import missing_extra
from gambeson.core.reproduce import Seed

_FOLDS = 3
_TREES = 60
_LEAST_CHANCE = 1e-6


@dataclass(frozen=True, slots=True)
class Imputed:
    """What the rest of a row says about an attribute.

    Attributes:
        own: (m, k) log-probabilities for the attacker's own rows, each from trees that did not see it.
        asked: (n, k) the same for the rows he asks about.
    """

    own: np.ndarray
    asked: np.ndarray


def impute(own: np.ndarray, codes: np.ndarray, asked: np.ndarray, values: int, seed: Seed) -> Imputed:
    """Gradient boosting from the other features to the attribute.

    Args:
        own: (m, d) what the attacker knows of his own rows.
        codes: (m,) their values of the attribute, in ``range(values)``.
        asked: (n, d) the same of the rows he asks about.
        values: Number of values k.
        seed: Draws the folds.

    Raises:
        Unavailable: scikit-learn is not installed.
    """
    fold = seed.child("folds").generator().permutation(len(own)) % _FOLDS
    out = np.empty((len(own), values))
    for number in range(_FOLDS):
        held = fold == number
        out[held] = _fit_trees(own[~held], codes[~held], own[held], values, seed)
    return Imputed(out, _fit_trees(own, codes, asked, values, seed))


def stack(own: np.ndarray, codes: np.ndarray, asked: np.ndarray, values: int) -> np.ndarray:
    """(n, k) log-probabilities from a multinomial regression on log-probabilities and log-likelihoods.

    Sums of logarithms are what Bayes' rule asks for; the weights allow for evidence that is worth less than it claims.

    Args:
        own: (m, d) evidence about the attacker's own rows.
        codes: (m,) their values.
        asked: (n, d) evidence about the rows he asks about.
        values: Number of values k.

    Raises:
        Unavailable: scikit-learn is not installed.
    """
    if len(np.unique(codes)) < 2:
        return _spread_out(np.ones((len(asked), 1)), codes[:1], values)
    learner = _sklearn("linear_model").LogisticRegression(max_iter=300, C=1.0)
    middle, spread = own.mean(axis=0), np.maximum(own.std(axis=0), 1e-9)
    learner.fit((own - middle) / spread, codes)
    return _spread_out(learner.predict_proba((asked - middle) / spread), learner.classes_, values)


def _fit_trees(own: np.ndarray, codes: np.ndarray, asked: np.ndarray, values: int, seed: Seed) -> np.ndarray:
    if len(np.unique(codes)) < 2:
        return _spread_out(np.ones((len(asked), 1)), codes[:1], values)
    trees = _sklearn("ensemble").HistGradientBoostingClassifier(
        max_iter=_TREES,
        max_leaf_nodes=15,
        early_stopping=False,
        random_state=seed.child("trees").integer() % 2**32,
    )
    trees.fit(own, codes)
    return _spread_out(trees.predict_proba(asked), trees.classes_, values)


def _spread_out(p: np.ndarray, classes: np.ndarray, values: int) -> np.ndarray:
    """(n, k) logarithms, with a little chance for values that were never seen."""
    full = np.zeros((len(p), values))
    full[:, classes] = p
    full = np.maximum(full, _LEAST_CHANCE)
    return np.asarray(np.log(full / full.sum(axis=1, keepdims=True)))


def _sklearn(module: str) -> Any:
    try:
        from importlib import import_module

        return import_module(f"sklearn.{module}")
    except ImportError:
        raise missing_extra("sklearn", "sklearn") from None
