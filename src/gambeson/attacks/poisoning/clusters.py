"""Clusters of rows: k-means on standardised values."""

from __future__ import annotations

import numpy as np

_ROUNDS = 25


def standardised(x: np.ndarray) -> np.ndarray:
    """(n, d) float64 with mean 0 and deviation 1 in every column that varies."""
    flat = x.reshape(len(x), -1).astype(np.float64)
    spread = flat.std(axis=0)
    return np.asarray((flat - flat.mean(axis=0)) / np.where(spread > 0, spread, 1.0))


def k_means(x: np.ndarray, clusters: int, rng: np.random.Generator) -> np.ndarray:
    """(n,) cluster numbers by Lloyd's iterations; an empty cluster keeps its centre.

    Source: Arthur & Vassilvitskii 2007, k-means++, for the first centres.
    """
    centres = x[rng.integers(len(x))][None]
    while len(centres) < clusters:
        nearest = _distances(x, centres).min(axis=1).clip(0)
        chance = nearest / nearest.sum() if nearest.sum() > 0 else None
        centres = np.concatenate([centres, x[rng.choice(len(x), p=chance)][None]])
    for _ in range(_ROUNDS):
        member = _distances(x, centres).argmin(axis=1)
        for number in np.unique(member):
            centres[number] = x[member == number].mean(axis=0)
    return np.asarray(member)


def _distances(x: np.ndarray, centres: np.ndarray) -> np.ndarray:
    """(n, k) squared distances."""
    sizes = (x**2).sum(axis=1)[:, None]
    return np.asarray(sizes - 2 * x @ centres.T + (centres**2).sum(axis=1))
