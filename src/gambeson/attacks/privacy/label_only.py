"""Label-only membership inference: how many changes does the answer about a record survive?"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch

from gambeson.attacks.privacy.pool import Pool
from gambeson.core.reproduce import Seed
from gambeson.core.threat import Access
from gambeson.models.oracle import Oracle
from gambeson.models.passes import Passes

SOURCE = (
    "Choquette-Choo et al. 2021, Label-only membership inference attacks, arXiv:2007.14321; "
    "Li & Zhang 2021, Membership leakage in label-only exposures, arXiv:2007.15528"
)
_LEVELS = 4
_NOISE = 0.02, 0.5
"""Standard deviation of the weakest and the strongest noise, as a share of a feature's range."""
_CHANGED = 1, 0.3
"""Features changed in a row of a table: one, up to this share of them."""
_SHIFT = 2
"""Pixels by which a picture is moved, at most."""

Change = Callable[[np.ndarray, int, np.random.Generator], np.ndarray]
"""``(x, level, rng) -> changed copy`` of (n, *shape); the level is from 0, weakest, to 3."""


@dataclass(frozen=True, slots=True)
class Stability:
    """What the answers show.

    Attributes:
        predicted: (n,) int64 predicted class of each record as it is.
        kept: (n,) share of the changed copies that got the record's true class, in [0, 1].
        changes: In words, how the copies were changed.
        queries: Queries spent on each record.
    """

    predicted: np.ndarray
    kept: np.ndarray
    changes: str
    queries: int

    def gap(self, labels: np.ndarray) -> np.ndarray:
        """(n,) membership scores of the baseline: 1 where the answer is right, else 0 (Yeom et al. 2018)."""
        return np.asarray(self.predicted == labels, np.float64)

    def noise(self, labels: np.ndarray) -> np.ndarray:
        """(n,) membership scores: a right answer counts more than any number of right answers about copies."""
        return np.asarray(self.gap(labels) + self.kept)


def stability(
    passes: Passes, pool: Pool, queries: int, seed: Seed, report: Callable[[int], None]
) -> Stability:
    """Ask about every record, and about copies of it changed at four strengths.

    Strengths are spread evenly over all that may work and all copies count the same, so that nothing is tuned.

    Args:
        passes: The model.
        pool: The records.
        queries: Queries for each record, at least 1; the first is about the record itself.
        seed: Draws the changes.
        report: Called with the number of records just asked about; may raise to stop.

    Raises:
        ModelError: The model answered with something unusable.
    """
    change, words = _change_for(pool)
    predicted, kept = [], []
    for number, (x, y) in enumerate(pool.batches()):
        oracle = Oracle(passes, Access.LABELS, rows=len(x), budget=queries)
        predicted.append(_labels(oracle, passes, x))
        right = np.zeros(len(x))
        for copy in range(queries - 1):
            rng = seed.child(str(number), str(copy)).generator()
            right += _labels(oracle, passes, change(x, copy % _LEVELS, rng)) == y
        kept.append(right / max(queries - 1, 1))
        report(len(x))
    return Stability(np.concatenate(predicted), np.concatenate(kept), words, queries)


def _labels(oracle: Oracle, passes: Passes, x: np.ndarray) -> np.ndarray:
    asked = torch.from_numpy(np.ascontiguousarray(x)).to(passes.device)
    return np.asarray(oracle.labels(asked).cpu().numpy())


def _change_for(pool: Pool) -> tuple[Change, str]:
    """How records like these are changed, and that in words."""
    x = pool.take(np.arange(len(pool)))[0]
    if x.ndim > 2:
        low, high = float(x.min()), float(x.max())
        return _picture_change(low, high), f"moved by up to {_SHIFT} pixels, with Gaussian noise"
    if ((x == 0) | (x == 1)).all():
        return _flip, "features flipped"
    return _exchange(x), "features exchanged for another record's"


def _flip(x: np.ndarray, level: int, rng: np.random.Generator) -> np.ndarray:
    """Flip each binary feature with a probability."""
    return np.asarray(np.where(rng.random(x.shape, np.float32) < _share(level, x.shape[1]), 1 - x, x))


def _exchange(others: np.ndarray) -> Change:
    """Put another record's value in some places: every column keeps to the values it may have."""

    def change(x: np.ndarray, level: int, rng: np.random.Generator) -> np.ndarray:
        donors = others[rng.integers(0, len(others), x.shape), np.arange(x.shape[1])]
        return np.where(rng.random(x.shape, np.float32) < _share(level, x.shape[1]), donors, x)

    return change


def _share(level: int, features: int) -> float:
    """Share of the features changed: one feature at level 0, 30% of them at the highest."""
    least, most = min(_CHANGED[0] / features, _CHANGED[1]), _CHANGED[1]
    return float(least * (most / least) ** (level / (_LEVELS - 1)))


def _picture_change(low: float, high: float) -> Change:
    """Move pictures by some pixels, edges repeated, and add noise that stays in the range of all of them."""

    def change(x: np.ndarray, level: int, rng: np.random.Generator) -> np.ndarray:
        down, right = rng.integers(-_SHIFT, _SHIFT + 1, 2) if level else (0, 0)
        weakest, strongest = _NOISE
        sigma = (high - low) * weakest * (strongest / weakest) ** (level / (_LEVELS - 1))
        moved = _move(_move(x, int(down), -2), int(right), -1)
        return np.asarray(np.clip(moved + rng.normal(0, sigma, x.shape).astype(np.float32), low, high))

    return change


def _move(x: np.ndarray, by: int, axis: int) -> np.ndarray:
    size = x.shape[axis]
    return np.take(x, np.clip(np.arange(size) - by, 0, size - 1), axis=axis)
