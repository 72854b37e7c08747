"""A number with its unit, sample size and interval."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Interval:
    """A two-sided confidence interval.

    Attributes:
        low: Lower end, in the unit of the measurement.
        high: Upper end.
        method: How it was computed, e.g. ``"wilson"``, ``"clopper-pearson"``, ``"bootstrap"``, ``"delong"``.
        level: Nominal coverage in (0, 1).
    """

    low: float
    high: float
    method: str
    level: float = 0.95


@dataclass(frozen=True, slots=True)
class Measurement:
    """One figure: never quoted without its n and its interval.

    Attributes:
        name: Dotted name that gates refer to, e.g. ``"robust_accuracy"``.
        value: The point estimate.
        unit: ``"fraction"``, ``"queries"``, ``"input units"``, ...
        n: Number of independent samples behind it.
        interval: 95% interval, or ``None`` for a figure that is exact (a count, a setting).
        better: ``"higher"``, ``"lower"`` or ``"neither"``: the direction a defender wants.
        detail: A few words of setting, e.g. ``"linf eps=8/255, PGD-40 + APGD-T"``.
    """

    name: str
    value: float
    unit: str
    n: int
    interval: Interval | None = None
    better: str = "neither"
    detail: str = ""

    def __str__(self) -> str:
        if self.interval is None:
            return f"{self.value:.3g} (n={self.n})"
        return f"{self.value:.3f} [{self.interval.low:.3f}, {self.interval.high:.3f}] (n={self.n})"
