"""Proportions and their intervals."""

from __future__ import annotations

import math
from statistics import NormalDist

from gambeson.core.errors import InsufficientEvidence, UsageError
from gambeson.core.measurement import Interval, Measurement
from gambeson.core.stats.beta import beta_quantile


def wilson(successes: int, n: int, level: float = 0.95) -> Interval:
    """Wilson's score interval: close to nominal coverage for every n, never leaves [0, 1].

    Args:
        successes: 0 to ``n``.
        n: Number of independent trials.
        level: Nominal coverage in (0, 1).

    Raises:
        InsufficientEvidence: ``n`` is 0.
        UsageError: The counts make no sense, or ``level`` is outside (0, 1).

    Source: Wilson 1927, Probable inference, the law of succession, and statistical inference.
    """
    require_counts(successes, n)
    z = normal_quantile(level)
    p, weight = successes / n, z * z / n
    middle = (p + weight / 2) / (1 + weight)
    half = z / (1 + weight) * math.sqrt(p * (1 - p) / n + weight / (4 * n))
    # the ends are exact where nothing or everything succeeded; rounding must not move them
    low = 0.0 if successes == 0 else max(middle - half, 0.0)
    high = 1.0 if successes == n else min(middle + half, 1.0)
    return Interval(low, high, "wilson", level)


def clopper_pearson(successes: int, n: int, level: float = 0.95) -> Interval:
    """The exact interval: coverage is never below ``level``, so it is wider than Wilson's.

    Args:
        successes: 0 to ``n``.
        n: Number of independent trials.
        level: Least coverage, in (0, 1).

    Raises:
        InsufficientEvidence: ``n`` is 0.
        UsageError: The counts make no sense, or ``level`` is outside (0, 1).

    Source: Clopper & Pearson 1934, The use of confidence or fiducial limits.
    """
    require_counts(successes, n)
    require_level(level)
    tail, failures = (1 - level) / 2, n - successes
    low = beta_quantile(tail, successes, failures + 1) if successes else 0.0
    high = beta_quantile(1 - tail, successes + 1, failures) if failures else 1.0
    return Interval(low, high, "clopper-pearson", level)


def proportion(
    name: str, successes: int, n: int, *, better: str = "neither", detail: str = "", level: float = 0.95
) -> Measurement:
    """A fraction with Wilson's interval.

    Args:
        name: Name of the figure.
        successes: 0 to ``n``.
        n: Number of independent trials.
        better: ``"higher"``, ``"lower"`` or ``"neither"``.
        detail: A few words of setting.
        level: Nominal coverage.

    Raises:
        InsufficientEvidence: ``n`` is 0.
        UsageError: The counts make no sense.
    """
    if n == 0:
        raise InsufficientEvidence(f"There is no sample to measure {name} on.", expected="at least one")
    return Measurement(name, successes / n, "fraction", n, wilson(successes, n, level), better, detail)


def balanced_accuracy(
    name: str,
    positives: tuple[int, int],
    negatives: tuple[int, int],
    *,
    better: str = "neither",
    level: float = 0.95,
) -> Measurement:
    """Mean of the true-positive and the true-negative rate; 0.5 is chance, whatever the class sizes.

    Args:
        name: Name of the figure.
        positives: ``(classified right, all)`` of the positive class.
        negatives: The same of the negative class.
        better: ``"higher"``, ``"lower"`` or ``"neither"``.
        level: Nominal coverage.

    Raises:
        InsufficientEvidence: A class is empty.
        UsageError: The counts make no sense.

    Source: the interval combines two Wilson intervals as in Newcombe 1998, Interval estimation for the
    difference between independent proportions, method 10, for half of a sum.
    """
    (p, p_ends), (q, q_ends) = (
        (right / max(n, 1), wilson(right, n, level)) for right, n in (positives, negatives)
    )
    down = math.hypot(p - p_ends.low, q - q_ends.low) / 2
    up = math.hypot(p_ends.high - p, q_ends.high - q) / 2
    value = (p + q) / 2
    interval = Interval(max(value - down, 0.0), min(value + up, 1.0), "newcombe", level)
    return Measurement(name, value, "fraction", positives[1] + negatives[1], interval, better)


def normal_quantile(level: float) -> float:
    """Half-width of a two-sided interval in standard errors: 1.96 at 0.95.

    Raises:
        UsageError: ``level`` is outside (0, 1).
    """
    require_level(level)
    return NormalDist().inv_cdf((1 + level) / 2)


def require_level(level: float) -> None:
    """Refuse a coverage outside (0, 1)."""
    if not 0 < level < 1:
        raise UsageError(f"The interval's level is {level}.", expected="a number between 0 and 1, e.g. 0.95")


def require_counts(successes: int, n: int) -> None:
    """Refuse counts that are no successes out of n."""
    if n == 0:
        raise InsufficientEvidence("A proportion of 0 samples was asked for.", expected="at least one sample")
    if not 0 <= successes <= n:
        raise UsageError(f"{successes} successes out of {n} were given.", expected="0 <= successes <= n")
