"""Comparing two groups, and keeping many comparisons honest."""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import NormalDist

import numpy as np

from gambeson.core.errors import InsufficientEvidence, UsageError
from gambeson.core.measurement import Interval, Measurement
from gambeson.core.stats.proportions import require_counts, wilson


def two_proportions(successes: int, n: int, other_successes: int, other_n: int) -> float:
    """Two-sided p-value that two independent proportions are equal (pooled z test, no correction).

    Raises:
        InsufficientEvidence: A group is empty.
        UsageError: The counts make no sense.
    """
    require_counts(successes, n)
    require_counts(other_successes, other_n)
    pooled = (successes + other_successes) / (n + other_n)
    error = math.sqrt(pooled * (1 - pooled) * (1 / n + 1 / other_n))
    if error == 0:
        return 1.0
    return _two_sided((successes / n - other_successes / other_n) / error)


def difference(
    name: str,
    group: tuple[int, int],
    other: tuple[int, int],
    *,
    better: str = "neither",
    level: float = 0.95,
) -> Measurement:
    """Difference of two independent proportions, ``group`` minus ``other``, in [-1, 1].

    Args:
        name: Name of the figure.
        group: ``(successes, n)``.
        other: ``(successes, n)``.
        better: ``"higher"``, ``"lower"`` or ``"neither"``.
        level: Nominal coverage.

    Raises:
        InsufficientEvidence: A group is empty.
        UsageError: The counts make no sense.

    Source: Newcombe 1998, Interval estimation for the difference between independent proportions, method 10.
    """
    p_ends, q_ends = (wilson(*counts, level) for counts in (group, other))
    p, q = group[0] / group[1], other[0] / other[1]
    down = math.hypot(p - p_ends.low, q_ends.high - q)
    up = math.hypot(p_ends.high - p, q - q_ends.low)
    interval = Interval(p - q - down, p - q + up, "newcombe", level)
    return Measurement(name, p - q, "fraction", group[1] + other[1], interval, better)


def paired_difference(
    name: str, successes: np.ndarray, others: np.ndarray, *, better: str = "neither", level: float = 0.95
) -> Measurement:
    """Difference of two proportions on the same samples, ``successes`` minus ``others``, in [-1, 1].

    Args:
        name: Name of the figure.
        successes: (n,) bool, on which samples the one succeeded.
        others: (n,) bool, on which of the same samples the other did.
        better: ``"higher"``, ``"lower"`` or ``"neither"``.
        level: Nominal coverage.

    Raises:
        InsufficientEvidence: There is no sample.

    Source: Bonett & Price 2012, Adjusted Wald confidence interval for a difference of binomial proportions based on
    paired data: one is added to each count of disagreements, so that the interval of none has a width.
    """
    n = len(successes)
    require_counts(int(successes.sum()), n)
    only, other = int((successes & ~others).sum()), int((others & ~successes).sum())
    p, q = (only + 1) / (n + 2), (other + 1) / (n + 2)
    z = NormalDist().inv_cdf((1 + level) / 2)
    half = z * math.sqrt((p + q - (p - q) ** 2) / (n + 2))
    interval = Interval(max(p - q - half, -1.0), min(p - q + half, 1.0), "bonett-price", level)
    return Measurement(name, (only - other) / n, "fraction", n, interval, better)


def mann_whitney(a: np.ndarray, b: np.ndarray) -> float:
    """One-sided p-value that values of ``a`` are not larger than those of ``b``.

    Normal approximation with tie and continuity corrections: good from about ten values each.

    Raises:
        InsufficientEvidence: A sample is empty.
        UsageError: A value is NaN.

    Source: Mann & Whitney 1947, On a test of whether one of two random variables is stochastically larger.
    """
    a, b = np.asarray(a, np.float64), np.asarray(b, np.float64)
    m, n = len(a), len(b)
    if not (m and n):
        raise InsufficientEvidence("A rank test needs values on both sides.", expected="at least one of each")
    both = np.concatenate([a, b])
    if np.isnan(both).any():
        raise UsageError("Some values are NaN.", expected="numbers")
    _, inverse, counts = np.unique(both, return_inverse=True, return_counts=True)
    midrank = (np.cumsum(counts) - (counts - 1) / 2)[inverse]
    u = midrank[:m].sum() - m * (m + 1) / 2
    ties = float((counts.astype(np.float64) ** 3 - counts).sum()) / ((m + n) * max(m + n - 1, 1))
    variance = m * n / 12 * (m + n + 1 - ties)
    if variance <= 0:
        return 1.0
    # erfc keeps its digits where 1 - cdf would round to 0
    return 0.5 * math.erfc((u - m * n / 2 - 0.5) / math.sqrt(2 * variance))


def holm(p_values: Sequence[float]) -> tuple[float, ...]:
    """P-values adjusted so that rejecting those below alpha keeps the chance of any false one below alpha.

    Raises:
        UsageError: A p-value is outside [0, 1].

    Source: Holm 1979, A simple sequentially rejective multiple test procedure.
    """
    p = np.asarray(p_values, np.float64)
    if not ((p >= 0) & (p <= 1)).all():
        raise UsageError(f"The p-values are {list(p_values)}.", expected="numbers from 0 to 1")
    order = np.argsort(p, kind="stable")
    adjusted = np.empty_like(p)
    adjusted[order] = np.minimum(np.maximum.accumulate(p[order] * np.arange(len(p), 0, -1)), 1.0)
    return tuple(float(value) for value in adjusted)


def _two_sided(z: float) -> float:
    return 2 * NormalDist().cdf(-abs(z))
