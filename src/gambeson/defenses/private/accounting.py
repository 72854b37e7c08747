"""What a training spends: (epsilon, delta) of noisy sums over rows drawn at random, by privacy loss distributions.

Two data sets are neighbours where one has a record more than the other. The number of records counts as known.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

from gambeson.core.errors import UsageError, missing_extra

ACCOUNTANT = "privacy loss distributions (dp-accounting)"
_MOST_NOISE = 1_000.0
"""Noise multiplier from which on nothing is learnt."""
_TOLERANCE = 1e-3
"""How much of epsilon may be left over, as a share of it."""


@dataclass(frozen=True, slots=True)
class Mechanism:
    """Everything that a training learns from the records.

    Attributes:
        noise_multiplier: Standard deviation of the noise on a sum over clipped gradients, over the clipping norm.
        rate: Probability of a record to be in a step.
        steps: Steps.
        releases: Noise multipliers of other sums over all records, such as means and variances of features.
    """

    noise_multiplier: float
    rate: float
    steps: int
    releases: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        if not (self.noise_multiplier >= 0 and 0 < self.rate <= 1 and self.steps >= 0):
            raise UsageError(
                f"Noise multiplier {self.noise_multiplier:g}, sampling rate {self.rate:g}, {self.steps} steps",
                expected="noise at least 0, a rate above 0 and at most 1, steps at least 0",
            )


@lru_cache(
    maxsize=256
)  # a search asks for seconds of work, and the same search is made again when a run is resumed
def epsilon_of(mechanism: Mechanism, delta: float) -> float:
    """The least epsilon that is known to hold at this delta; infinite where there is no noise.

    Source: Koskela et al. 2020, arXiv:1906.03049; Doroshenko et al. 2022, arXiv:2207.04380 (as dp-accounting
    computes it).

    Raises:
        UsageError: Delta is not between 0 and 1.
        Unavailable: The package ``dp-accounting`` is missing.
    """
    _check_delta(delta)
    if mechanism.noise_multiplier == 0 or 0 in mechanism.releases:
        return math.inf
    accounting = _accounting()
    return float(_accountant(accounting).compose(_event(accounting, mechanism)).get_epsilon(delta))


def noise_for(epsilon: float, delta: float, planned: Mechanism) -> Mechanism:
    """The planned mechanism with the least noise that keeps to a target.

    Args:
        epsilon: Above 0.
        delta: Between 0 and 1.
        planned: Its noise multiplier is not looked at; its other releases count.

    Raises:
        UsageError: No noise reaches the target in so many steps.
        Unavailable: The package ``dp-accounting`` is missing.
    """
    if not 0 < epsilon < math.inf:
        raise UsageError(f"epsilon is {epsilon:g}.", expected="a positive number, such as 3")
    floor = epsilon_of(replace(planned, noise_multiplier=_MOST_NOISE), delta)
    if floor > epsilon:
        raise UsageError(
            f"No noise reaches epsilon {epsilon:g} at delta {delta:g} in {planned.steps} steps: {_MOST_NOISE:g} times "
            f"the clipping norm still gives {floor:.3g}.",
            expected=f"epsilon above {floor:.3g}",
            remedy="ask for fewer epochs, larger batches or a larger epsilon",
        )
    least = _search(lambda noise: epsilon_of(replace(planned, noise_multiplier=noise), delta), epsilon)
    return replace(planned, noise_multiplier=least)


def _search(spent: Callable[[float], float], epsilon: float) -> float:
    """The least noise that spends no more: false position between logarithms, which are nearly on a line (Illinois)."""
    high, above = 1.0, spent(1.0)
    while above > epsilon:
        low, below = high, above
        high, above = 2 * high, spent(2 * high)
    if high == 1.0:
        low, below = 0.5, spent(0.5)
        while below <= epsilon:
            high, above = low, below
            low, below = low / 2, spent(low / 2)
    return _between((low, below / epsilon), (high, above / epsilon), lambda noise: spent(noise) / epsilon)


def _between(low: tuple[float, float], high: tuple[float, float], ratio: Callable[[float], float]) -> float:
    """The noise whose ratio of spent to allowed epsilon is 1 or hardly less; (noise, ratio) at both ends are known."""
    ends, gaps = [math.log(low[0]), math.log(high[0])], [math.log(low[1]), math.log(high[1])]
    reached = gaps[1]
    while reached < -_TOLERANCE and ends[1] - ends[0] > _TOLERANCE / 10:
        share = min(max(gaps[0] / (gaps[0] - gaps[1]), 0.05), 0.95)
        middle = ends[0] + share * (ends[1] - ends[0])
        gap = math.log(ratio(math.exp(middle)))
        side = int(gap <= 0)
        ends[side], gaps[side] = middle, gap
        gaps[1 - side] /= 2
        reached = gap if side else reached
    return math.exp(ends[1])


def usual_delta(records: int) -> float:
    """A tenth of one over the number of records, as a power of ten: 1e-5 for 60,000 records."""
    return float(10.0 ** math.floor(math.log10(1 / max(records, 2)) - 1e-9))


def concerns(epsilon: float, delta: float, records: int) -> list[str]:
    """What is questionable about a target, in words."""
    found = []
    if delta >= 1 / records:
        found.append(
            f"delta {delta:g} is at least one over the {records} records: giving out one of them keeps to it"
        )
    if epsilon > 10:
        found.append(
            f"epsilon {epsilon:g} promises next to nothing: odds may change by a factor of {_odds(epsilon)}"
        )
    return found


def _odds(epsilon: float) -> str:
    return f"{math.exp(epsilon):,.0f}" if epsilon < 30 else f"e^{epsilon:g}"


def _check_delta(delta: float) -> None:
    if not 0 < delta < 1:
        raise UsageError(
            f"delta is {delta:g}.", expected="above 0 and below 1; less than one over the records"
        )


def _accounting() -> Any:
    try:
        import dp_accounting
        import dp_accounting.pld
    except ImportError:
        raise missing_extra("dp_accounting", "privacy") from None
    return dp_accounting


def _accountant(accounting: Any) -> Any:
    return accounting.pld.PLDAccountant(accounting.NeighboringRelation.ADD_OR_REMOVE_ONE)


def _event(accounting: Any, mechanism: Mechanism) -> Any:
    step = accounting.PoissonSampledDpEvent(
        mechanism.rate, accounting.GaussianDpEvent(mechanism.noise_multiplier)
    )
    others = [accounting.GaussianDpEvent(noise) for noise in mechanism.releases]
    steps = [accounting.SelfComposedDpEvent(step, mechanism.steps)] if mechanism.steps else []
    return accounting.ComposedDpEvent([*steps, *others])
