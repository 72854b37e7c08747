"""Tests whether the rows of steps are drawn as the accounting assumes: each row, in each step, by itself."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from gambeson.core.errors import UsageError
from gambeson.core.stats import binomial_tail
from gambeson.defenses.private.draws import Draws

_LEAST_STEPS = 100


@dataclass(frozen=True, slots=True)
class SamplingTest:
    """What the numbers of rows say.

    Attributes:
        spread: Variance of the number of rows of a step, over that of Poisson sampling: 0 for batches of one size.
        repeats: Share of rows of a step that are in the next one too, over that of Poisson sampling: 0 where an epoch
            has each row once.
        p_value: Probability of a number of rows as constant, or as varying, under Poisson sampling.
    """

    spread: float
    repeats: float
    p_value: float

    @property
    def is_poisson(self) -> bool:
        """Whether nothing speaks against it, at a level of one in a million."""
        return self.p_value > 1e-6


def examine_sampling(draws: Draws, rows: int, rate: float, steps: int = 400) -> SamplingTest:
    """Draw the rows of many steps and compare.

    Batches of a fixed size, or a shuffled pass over the data, keep to a larger epsilon than Poisson sampling at the
    same noise: an accountant that assumes the latter then says too little.

    Args:
        draws: What is tested.
        rows: Records.
        rate: Probability of a record to be in a step.
        steps: At least 100.

    Raises:
        UsageError: There are too few steps, or none of the numbers can vary.

    Source: Chua et al. 2024, arXiv:2403.17673 (why it matters). The test is the index of dispersion, and a sign test.
    """
    if steps < _LEAST_STEPS or not 0 < rate < 1 or rows * rate < 1:
        raise UsageError(
            f"{steps} steps with a rate of {rate:g} of {rows} rows",
            expected="at least 100 steps of one row or more",
        )
    chosen = [draws.chosen(step, rows, rate) for step in range(steps)]
    sizes = np.array([len(c) for c in chosen])
    spread = float(((sizes - rows * rate) ** 2).mean() / (rows * rate * (1 - rate)))
    shared = float(np.mean([len(np.intersect1d(a, b)) for a, b in pairwise(chosen)]))
    repeats = shared / (rows * rate**2)
    return SamplingTest(
        spread,
        repeats,
        min(1.0, 2 * min(_spread_tails(spread, steps), _repeat_tail(shared, rows, rate, steps))),
    )


def _spread_tails(spread: float, steps: int) -> float:
    """Two-sided tail of the index of dispersion, by Wilson and Hilferty's cube root."""
    z = ((max(spread, 1e-12)) ** (1 / 3) - (1 - 2 / (9 * steps))) / math.sqrt(2 / (9 * steps))
    return math.erfc(abs(z) / math.sqrt(2))


def _repeat_tail(shared: float, rows: int, rate: float, steps: int) -> float:
    """Two-sided tail of the number of rows that two steps in a row share."""
    total, n = round(shared * (steps - 1)), rows * (steps - 1)
    return 2 * min(binomial_tail(total, n, rate**2), 1 - binomial_tail(total + 1, n, rate**2))
