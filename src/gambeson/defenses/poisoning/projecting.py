"""Principal components of features, and their robust centre and spread."""

from __future__ import annotations

import numpy as np

_TRIM = 0.15
"""Share of rows that the robust estimate leaves out."""
_ROUNDS = 8


def principal(x: np.ndarray, count: int) -> np.ndarray:
    """(n, k) float64 coordinates of centred rows along their first principal components; k is at most ``count``.

    Args:
        x: (n, d).
        count: Components.
    """
    centred = x.astype(np.float64) - x.mean(axis=0)
    _, axes = np.linalg.eigh(centred.T @ centred)
    return np.asarray(centred @ axes[:, ::-1][:, : min(count, *x.shape)])


def robust_moments(z: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean and covariance of the rows that lie together, found by trimming in rounds.

    Args:
        z: (n, k) float64.

    Returns:
        (k,) mean and (k, k) covariance, with a small ridge so that it can be inverted.

    Source: the concentration steps of Rousseeuw & Van Driessen 1999, A fast algorithm for the minimum covariance
    determinant estimator.
    """
    middle = np.median(z, axis=0)
    spread = np.median(np.abs(z - middle), axis=0) + 1e-9
    distance = (((z - middle) / spread) ** 2).sum(axis=1)
    ridge = 1e-6 * np.eye(z.shape[1])
    for _ in range(_ROUNDS):
        kept = z[distance <= np.quantile(distance, 1 - _TRIM)]
        mean = kept.mean(axis=0)
        covariance = np.atleast_2d(np.cov(kept.T)) + ridge * max(1e-12, float(kept.var()))
        apart = z - mean
        distance = (apart @ np.linalg.inv(covariance) * apart).sum(axis=1)
    return mean, covariance
