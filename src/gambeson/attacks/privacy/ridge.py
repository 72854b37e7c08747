"""Ridge regression in closed form: quick, without a package, and the same on every run."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

_PENALTIES = 10.0 ** np.arange(-2, 5)
"""Multiples of the mean squared singular value."""


@dataclass(frozen=True, slots=True)
class Ridge:
    """A fitted linear function of standardised columns."""

    mean: np.ndarray
    scale: np.ndarray
    weights: np.ndarray
    intercept: float

    def predict(self, x: np.ndarray) -> np.ndarray:
        """(n,) from (n, d)."""
        return np.asarray((x - self.mean) / self.scale @ self.weights + self.intercept)


def fit_ridge(x: np.ndarray, y: np.ndarray) -> Ridge:
    """Least squares with the penalty that generalised cross-validation prefers.

    Args:
        x: (n, d) numbers; constant columns have no influence.
        y: (n,) numbers to be predicted.

    Source: Golub, Heath & Wahba 1979, Generalized cross-validation as a method for choosing a good ridge parameter.
    """
    mean, spread = x.mean(axis=0, dtype=np.float64), x.std(axis=0, dtype=np.float64)
    scale = np.where(spread > 1e-9, spread, np.inf)
    columns, intercept = (x - mean) / scale, float(y.mean())
    squares, right = np.linalg.eigh(columns.T @ columns)
    values = np.sqrt(np.maximum(squares, 1e-9))
    seen = right.T @ (columns.T @ (y - intercept)) / values
    outside = float(((y - intercept) ** 2).sum() - (seen**2).sum())
    unit = max(float((values**2).mean()), 1.0) if len(values) else 1.0
    best = min((p * unit for p in _PENALTIES), key=lambda p: _gcv(values, seen, outside, len(y), float(p)))
    return Ridge(mean, scale, right @ (values / (values**2 + best) * seen), intercept)


def _gcv(values: np.ndarray, seen: np.ndarray, outside: float, records: int, penalty: float) -> float:
    """Mean squared residual over the squared share of degrees of freedom that are left."""
    kept = values**2 / (values**2 + penalty)
    residual = outside + float((((1 - kept) * seen) ** 2).sum())
    free = max(records - 1 - float(kept.sum()), 1e-9)
    return residual / free**2
