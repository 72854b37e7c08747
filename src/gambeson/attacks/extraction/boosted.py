"""A boosted-tree student for tables: scikit-learn's histogram boosting on answers that may be soft."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from gambeson.core.errors import missing_extra
from gambeson.data.schema import Kind, Schema
from gambeson.models.model import ModelInfo

_LEAST_WEIGHT = 0.01
"""Classes less likely than this are left out of a soft answer."""
_SMALLEST = 1e-6


@dataclass(frozen=True, slots=True)
class BoostedCopy:
    """A fitted ensemble behind the seam; classes that no answer named get a probability near 0."""

    trees: Any
    info: ModelInfo

    def scores(self, x: np.ndarray) -> np.ndarray:
        """Log-probabilities (n, classes) float32."""
        found = np.full((len(x), self.info.classes), _SMALLEST)
        found[:, self.trees.classes_] = self.trees.predict_proba(x.reshape(len(x), -1))
        return np.asarray(np.log(np.maximum(found, _SMALLEST)), np.float32)


@dataclass(frozen=True, slots=True)
class ConstantCopy:
    """The copy of a model that always gave the same answer."""

    log_probabilities: np.ndarray
    info: ModelInfo

    def scores(self, x: np.ndarray) -> np.ndarray:
        """The same for each input."""
        return np.tile(self.log_probabilities, (len(x), 1)).astype(np.float32)


def fit_trees(x: np.ndarray, answers: np.ndarray, schema: Schema, *, seed: int) -> BoostedCopy | ConstantCopy:
    """Boosting on every input once for each class that its answer names, weighted by the class's probability.

    Args:
        x: (n, *shape).
        answers: (n, classes), each row a distribution.
        schema: Tells categories.
        seed: Of the binning.

    Raises:
        Unavailable: scikit-learn is missing.
    """
    try:
        from sklearn.ensemble import HistGradientBoostingClassifier
    except ImportError:
        raise missing_extra("sklearn", "sklearn") from None
    info = ModelInfo("copy", "sklearn", schema.shape, answers.shape[1], "logits")
    rows, classes = np.nonzero(answers >= _LEAST_WEIGHT)
    if len(np.unique(classes)) == 1:
        return ConstantCopy(np.log(np.maximum(answers.mean(0), _SMALLEST)), info)
    categories = [i for i, feature in enumerate(schema.features) if feature.kind is Kind.CATEGORICAL]
    trees = HistGradientBoostingClassifier(
        random_state=seed % 2**32,
        early_stopping=False,
        categorical_features=categories or None,
        min_samples_leaf=5,
    )
    trees.fit(x.reshape(len(x), -1)[rows], classes, sample_weight=answers[rows, classes])
    return BoostedCopy(trees, info)
