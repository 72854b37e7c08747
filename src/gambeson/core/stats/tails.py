"""Exact tails of distributions that tests need: binomial and Student's t."""

from __future__ import annotations

from gambeson.core.errors import UsageError
from gambeson.core.stats.beta import beta_cdf
from gambeson.core.stats.proportions import require_counts


def binomial_tail(successes: int, n: int, chance: float) -> float:
    """Probability of at least so many successes in n independent trials.

    Args:
        successes: 0 to ``n``.
        n: Number of trials.
        chance: Of a success, in (0, 1).

    Raises:
        InsufficientEvidence: ``n`` is 0.
        UsageError: The counts make no sense, or ``chance`` is outside (0, 1).
    """
    require_counts(successes, n)
    if not 0 < chance < 1:
        raise UsageError(f"The chance of a success is {chance}.", expected="a number between 0 and 1")
    return beta_cdf(chance, successes, n - successes + 1) if successes else 1.0


def student_tail(t: float, freedom: int) -> float:
    """Probability that Student's t with so many degrees of freedom is at least ``t``.

    Raises:
        UsageError: There is no degree of freedom.
    """
    if freedom < 1:
        raise UsageError(
            f"Student's t with {freedom} degrees of freedom was asked for.", expected="at least 1"
        )
    outside = beta_cdf(freedom / (freedom + t * t), freedom / 2, 0.5) / 2
    return outside if t >= 0 else 1 - outside
