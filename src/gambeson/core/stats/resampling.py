"""The bootstrap: an interval for a statistic that has no formula."""

from __future__ import annotations

import math
from collections.abc import Callable
from statistics import NormalDist

import numpy as np

from gambeson.core.errors import InsufficientEvidence, UsageError
from gambeson.core.measurement import Interval
from gambeson.core.stats.proportions import require_level

_ELEMENTS_AT_ONCE = 1 << 22

Statistic = Callable[[np.ndarray], np.ndarray]
"""Takes (k, n) resamples and gives (k,) values, e.g. ``lambda v: v.mean(-1)``."""


def bootstrap(
    values: np.ndarray,
    statistic: Statistic,
    rng: np.random.Generator,
    *,
    resamples: int = 2_000,
    level: float = 0.95,
    method: str = "bca",
) -> Interval:
    """A bootstrap interval.

    Args:
        values: (n,) independent values.
        statistic: Maps (k, n) to (k,); called on blocks.
        rng: Draws the resamples.
        resamples: How many.
        level: Nominal coverage in (0, 1).
        method: ``"bca"`` (bias-corrected and accelerated; costs n more evaluations) or ``"percentile"``.

    Raises:
        InsufficientEvidence: Fewer than two values.
        UsageError: Unknown method, or ``level`` outside (0, 1).

    Source: Efron & Tibshirani 1993, An introduction to the bootstrap, sections 13.3 and 14.3.
    """
    require_level(level)
    values = np.asarray(values, np.float64)
    if method not in ("bca", "percentile"):
        raise UsageError(f"Unknown bootstrap method {method!r}.", expected="bca or percentile")
    if values.ndim != 1 or len(values) < 2:
        raise InsufficientEvidence(
            f"Values of shape {values.shape} were given.", expected="two or more in a row"
        )
    n = len(values)
    drawn = _in_blocks(resamples, n, lambda rows: statistic(values[rng.integers(0, n, (len(rows), n))]))
    tails = np.array([(1 - level) / 2, (1 + level) / 2])
    if method == "bca":
        tails = _corrected(tails, values, statistic, drawn)
    low, high = np.quantile(drawn, tails)
    return Interval(float(low), float(high), f"bootstrap-{method}", level)


def _in_blocks(count: int, width: int, evaluate: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
    step = max(_ELEMENTS_AT_ONCE // width, 1)
    return np.concatenate([evaluate(np.arange(i, min(i + step, count))) for i in range(0, count, step)])


def _corrected(tails: np.ndarray, values: np.ndarray, statistic: Statistic, drawn: np.ndarray) -> np.ndarray:
    """Efron's corrected percentiles; the plain ones where the statistic does not vary."""
    normal, estimate = NormalDist(), float(statistic(values[None])[0])
    below = float((drawn < estimate).mean() + (drawn == estimate).mean() / 2)
    if not 0 < below < 1:
        return tails
    bias, acceleration = normal.inv_cdf(below), _acceleration(values, statistic)
    corrected = []
    for tail in tails:
        z = bias + normal.inv_cdf(float(tail))
        corrected.append(normal.cdf(bias + z / (1 - acceleration * z)))
    return np.array(corrected)


def _acceleration(values: np.ndarray, statistic: Statistic) -> float:
    """Sixth of the skewness of the jackknife values."""
    n, columns = len(values), np.arange(len(values) - 1)

    def left_out(rows: np.ndarray) -> np.ndarray:
        return statistic(values[columns + (columns >= rows[:, None])])

    jackknife = _in_blocks(n, n, left_out)
    spread = jackknife.mean() - jackknife
    scale = float((spread**2).sum())
    return float((spread**3).sum()) / (6 * math.pow(scale, 1.5)) if scale > 0 else 0.0
