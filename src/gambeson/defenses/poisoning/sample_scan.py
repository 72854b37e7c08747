"""Which rows of training data are poisoned? Every detector, and one verdict at a stated rate of false alarms."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from gambeson.attacks.poisoning.base import Build
from gambeson.core.errors import InsufficientEvidence, Unavailable, UsageError
from gambeson.core.measurement import Measurement
from gambeson.core.reproduce import Seed
from gambeson.core.stats import proportion, two_proportions
from gambeson.data.schema import Schema
from gambeson.defenses.poisoning.base import Inspection, detectors
from gambeson.defenses.poisoning.inspecting import STAGES, Plan, inspect
from gambeson.defenses.poisoning.verdict import Verdict, combined_verdict

Rows = tuple[np.ndarray, np.ndarray]
"""(n, *shape) float32 inputs and (n,) int64 labels."""
_USUAL = 0.01
_RESOLVED = 15
"""Trusted rows times the rate of false alarms below which only what is more suspicious than all of them is flagged."""


@dataclass(frozen=True, slots=True)
class SampleScan:
    """What was found.

    Attributes:
        verdict: P-values and flags of the suspected rows.
        suspicions: (n,) by detector, of the suspected rows.
        clean: (m,) by detector, of the calibration rows.
        left_out: ``(detector, reason)``.
        inspection: Networks and what they said; its first rows are the suspected ones.
        expected: Share of the calibration rows that the rate of false alarms allows to be flagged.
        flagged: Share of the suspected rows that is flagged.
        chance: P-value of so many flags if no row were poisoned.
    """

    verdict: Verdict
    suspicions: dict[str, np.ndarray]
    clean: dict[str, np.ndarray]
    left_out: tuple[tuple[str, str], ...]
    inspection: Inspection
    flagged: Measurement
    expected: Measurement
    chance: float

    @property
    def share(self) -> float:
        """Estimate of the poisoned share: flags beyond those that clean rows give."""
        return max(0.0, (self.flagged.value - self.verdict.alpha) / (1 - self.verdict.alpha))


@dataclass(frozen=True, slots=True)
class ScanPlan:
    """How rows are inspected.

    Attributes:
        alpha: Rate of false alarms; ``None`` for 1%, or as low as so many trusted rows can tell.
        epochs: Passes of each training.
        build: Makes the networks; the default one unless given.
        names: Detectors; all where empty.
        report: Called with ``(work done, what)``.
    """

    alpha: float | None = None
    epochs: int = 4
    build: Build | None = None
    names: tuple[str, ...] = ()
    report: Callable[[float, str], None] = lambda done, said: None


def work(plan: ScanPlan) -> int:
    """Units of work that the report counts."""
    return STAGES + len(plan.names or detectors.names())


def usual_rate(trusted: int) -> float:
    """Rate of false alarms for so many trusted rows: 1%, or the lowest at which poisoned rows can be told from them.

    Half of them calibrate, in two halves of their own: with ``n`` rows no p-value is below ``4 / n``.
    """
    return max(_USUAL, _RESOLVED / max(trusted, 1))


def scan_rows(suspected: Rows, trusted: Rows, schema: Schema, plan: ScanPlan, seed: Seed) -> SampleScan:
    """Look for poisoned rows.

    Half of the trusted rows are mixed with the suspected ones and treated like them, so that what is usual among
    clean rows is known; the other half is what detectors compare with.

    Args:
        suspected: Training data under suspicion.
        trusted: Rows of the same kind that are known to be clean; none of them among the suspected ones.
        schema: Shape, bounds and classes.
        plan: How.
        seed: Of everything that is drawn.

    Raises:
        UsageError: The rate of false alarms is not between 0 and 1.
        InsufficientEvidence: Too few trusted rows for the rate of false alarms, or one class only.
        ModelError: A training diverged.
    """
    x, y = suspected
    if len(np.unique(y)) < 2:
        raise InsufficientEvidence(
            f"The {len(y)} rows have one class.",
            expected="at least 2 classes, which a network could tell apart",
        )
    alpha = usual_rate(len(trusted[1])) if plan.alpha is None else plan.alpha
    if not 0 < alpha < 1:
        raise UsageError(f"The rate of false alarms is {alpha:g}.", expected="between 0 and 1, such as 0.01")
    order = seed.child("trusted").generator().permutation(len(trusted[1]))
    judged, known = order[: len(order) // 2], order[len(order) // 2 :]
    if len(judged) < 2 / alpha:
        raise InsufficientEvidence(
            f"{len(order)} trusted rows are too few for a false-positive rate of {alpha:g}.",
            expected=f"at least {int(np.ceil(4 / alpha))}",
            remedy="give more rows that are known to be clean, or a larger --fpr",
        )
    everything = np.concatenate([x, trusted[0][judged]]), np.concatenate([y, trusted[1][judged]])
    training = Plan(seed.child("networks"), plan.epochs, plan.build, lambda said: plan.report(1, said))
    seen = inspect(*everything, (trusted[0][known], trusted[1][known]), schema, training)
    found, left_out = _suspicions(seen, plan)
    mixed_in = np.arange(len(seen.y)) >= len(y)
    verdict = combined_verdict(found, mixed_in, alpha=alpha, rng=seed.child("verdict").generator())
    count, n = int(verdict.flagged.sum()), len(y)
    usual = int(np.floor(alpha * len(judged)))
    return SampleScan(
        verdict=verdict,
        suspicions={name: values[~mixed_in] for name, values in found.items()},
        clean={name: values[mixed_in] for name, values in found.items()},
        left_out=left_out,
        inspection=seen,
        flagged=proportion("flagged", count, n, better="lower"),
        expected=proportion("flagged_if_all_were_clean", usual, len(judged)),
        chance=two_proportions(count, n, usual, len(judged)) if count / n > alpha else 1.0,
    )


def _suspicions(
    seen: Inspection, plan: ScanPlan
) -> tuple[dict[str, np.ndarray], tuple[tuple[str, str], ...]]:
    found: dict[str, np.ndarray] = {}
    left_out = []
    for name in plan.names or detectors.names():
        entry = detectors[name]
        if entry.facts.pictures_only and len(seen.schema.shape) != 3:
            left_out.append((name, "works on pictures alone"))
        else:
            try:
                found[name] = entry.plugin().suspicion(seen)
            except Unavailable as error:
                left_out.append((name, error.message))
        plan.report(1, name)
    return found, tuple(left_out)
