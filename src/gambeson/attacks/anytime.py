"""The any-time bound: what robust accuracy was known to be at most after each pass, and how fast it still falls."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gambeson.attacks.robustness import Robustness
from gambeson.core.measurement import Interval, Measurement
from gambeson.core.stats import wilson

_LAST = 0.1
"""Share of the spend over which the rate is taken."""
_LEAST = 10
"""Passes per sample below which a tenth of them is not even one."""
_PER = 100
"""Passes per sample that the rate is quoted for."""


@dataclass(frozen=True, slots=True)
class AnytimeBound:
    """Robust accuracy (upper bound) as a falling staircase over the passes spent.

    Attributes:
        passes: (k,) ascending model passes per attacked sample; the first is 0, the last all that was spent.
        standing: (k,) int64 samples that were right and unbroken from there on.
        stages: Label of each stage that ran, and the passes per sample spent when it ended.
    """

    passes: np.ndarray
    standing: np.ndarray
    stages: tuple[tuple[str, float], ...]

    @property
    def spent(self) -> float:
        """Model passes per attacked sample in all."""
        return float(self.passes[-1])


def anytime_bound(result: Robustness) -> AnytimeBound:
    """The bound against the spend, at every fall.

    It depends on the seed alone, not on the clock: see ``EnsembleOutcome.fell_at`` for what a pass is.
    """
    found, n = result.outcome, max(len(result.attacked), 1)
    fell = np.sort(found.fell_at[found.fallen])
    spent = float(found.queries.sum()) / n
    at = np.unique(np.concatenate([[0.0], fell, [spent]]))
    standing = len(result.attacked) - np.searchsorted(fell, at, side="right")
    ends = np.cumsum([record.queries for record in found.records]) / n
    stages = tuple((r.label, float(end)) for r, end in zip(found.records, ends, strict=True) if r.queries)
    return AnytimeBound(at, standing, stages)


def still_falling(result: Robustness) -> Measurement | None:
    """Points of robust accuracy lost per further 100 passes per sample, over the last tenth of the spend.

    Near 0 the bound has settled for this attack; well above 0 more of the same would find more. ``None`` where
    fewer than ten passes were spent. The interval is Wilson's for the share of samples that fell in that tenth.
    """
    spent = anytime_bound(result).spent
    if spent < _LEAST:
        return None
    n = len(result.samples)
    late = int((result.outcome.fell_at[result.outcome.fallen] > (1 - _LAST) * spent).sum())
    scale = 100 * _PER / (_LAST * spent)
    share = wilson(late, n)
    return Measurement(
        name="still_falling",
        value=late / n * scale,
        unit="points per 100 passes",
        n=n,
        interval=Interval(share.low * scale, share.high * scale, share.method, share.level),
        better="lower",
        detail=f"over the last tenth of {spent:.4g} passes per sample",
    )
