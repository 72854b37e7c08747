"""Robust accuracy against eps, measured with the monotonicity that a ball grants."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import torch

from gambeson.attacks.ensemble import Stage, run_in_turn, stage
from gambeson.attacks.geometry import PerturbationSet
from gambeson.attacks.harness import Run
from gambeson.attacks.robustness import Robustness
from gambeson.audit.base import CheckContext, checks
from gambeson.audit.checks.evasion_exhibits import broken_within
from gambeson.core.finding import Bars, Curve, Series
from gambeson.core.reproduce import Seed
from gambeson.core.stats import proportion
from gambeson.core.threat import Access, Norm
from gambeson.models.passes import Passes

_SAMPLES = 200
"""Most samples behind a curve."""


@dataclass(frozen=True, slots=True)
class ByRadius:
    """What is known over several radii.

    Attributes:
        curve: Robust accuracy against eps; ``None`` with fewer than three radii.
        bars: How many inputs fall first between one radius and the next; ``None`` likewise.
        cut: What was left out for lack of time.
    """

    curve: Curve | None
    bars: Bars | None
    cut: tuple[str, ...]


def accuracy_by_eps(
    context: CheckContext, result: Robustness, passes: Passes, space: PerturbationSet, run: Run
) -> ByRadius:
    """Robust accuracy over the profile's multiples of eps.

    What falls in a ball falls in every larger one. So below the main eps only the samples that it broke are
    attacked, from the largest radius down; above it only those that stand, from the smallest up.

    Args:
        context: Of the running check; ``effort.curve`` lists the multiples of eps.
        result: The main measurement, at eps itself.
        passes: The model.
        space: The perturbation set at eps itself.
        run: Seeds, deadline and journal for the curve.
    """
    eps, cut = context.threat.eps, []
    result = _some(result, run.seed)
    broken = result.outcome.fallen.copy()
    left = {0.0: 0, eps: int(broken.sum())}
    below = sorted((f for f in context.effort.curve if f < 1), reverse=True)
    above = sorted(f for f in context.effort.curve if f > 1)
    for side in (below, above):
        reached = broken
        for factor in side:
            radius = _radius(space, eps * factor)
            if radius is None:
                continue
            if context.time_is_up:
                cut.append(f"robust accuracy at eps={radius:.4g} was not measured")
                continue
            todo = np.flatnonzero(reached if factor < 1 else ~reached)
            fell = _fallen(context, result, passes, space.with_eps(radius), todo, run)
            reached = fell if factor < 1 else reached | fell
            left[radius] = int(reached.sum())
    if len(left) < 3:
        return ByRadius(None, None, tuple(cut))
    radii = sorted(left)
    bars = broken_within(radii, [left[r] for r in radii], len(broken), context.threat.norm)
    return ByRadius(_curve(context, result, left), bars, tuple(cut))


def _some(result: Robustness, seed: Seed) -> Robustness:
    """The measurement on a random part of its samples: enough for a curve, at a bounded cost."""
    n = len(result.samples)
    if n <= _SAMPLES:
        return result
    rows = np.sort(seed.child("samples").generator().choice(n, _SAMPLES, replace=False))
    kept = np.isin(result.attacked, rows)
    part = {
        name: getattr(result.outcome, name)[kept]
        for name in ("fallen", "adversarial", "queries", "stage", "distance", "fell_at")
    }
    right = int(kept.sum())
    standing = right - int(part["fallen"].sum())
    return Robustness(
        samples=result.samples.select(torch.from_numpy(rows)),
        predicted=result.predicted[rows],
        correct=result.correct[rows],
        attacked=np.searchsorted(rows, result.attacked[kept]),
        outcome=replace(result.outcome, **part),
        clean_accuracy=proportion("clean_accuracy", right, _SAMPLES, better="higher"),
        robust_accuracy=proportion("robust_accuracy", standing, _SAMPLES, better="higher"),
    )


def _radius(space: PerturbationSet, radius: float) -> float | None:
    """The radius as the norm can have it; ``None`` where it is no radius or beyond the whole range."""
    if space.norm is Norm.L0:
        return float(int(radius)) if radius >= 1 else None
    widest = float(((space.high - space.low) / space.scale).max())
    return radius if space.norm is not Norm.LINF or radius <= widest else None


def _fallen(
    context: CheckContext,
    result: Robustness,
    passes: Passes,
    space: PerturbationSet,
    todo: np.ndarray,
    run: Run,
) -> np.ndarray:
    """Which of the attacked samples fall within ``space``, looking at ``todo`` only."""
    samples = result.samples.select(torch.from_numpy(result.attacked[todo]))
    name = f"{space.eps:.6g}"
    branch = replace(run, seed=run.seed.child(name), key=f"{run.key}/{name}")
    outcome = run_in_turn(_stages(context), passes, samples, space, budget=context.threat.queries, run=branch)
    fell = np.zeros(len(result.attacked), bool)
    fell[todo[outcome.fallen]] = True
    return fell


def _stages(context: CheckContext) -> list[Stage]:
    """One good attack: the curve is for the eye, the main figure for the gate."""
    access, norm = checks[context.check].facts.access, context.threat.norm
    queries = max(context.effort.queries // 8, 100)
    if access is Access.SCORES:
        return [stage("square", queries=queries)]
    if access is Access.LABELS:
        return [stage("rays" if norm is Norm.LINF else "hopskipjump", queries=queries)]
    steps = max(context.effort.steps // 2, 10)
    if context.threat.norm in (Norm.LINF, Norm.L2):
        return [stage("pgd", steps=5), stage("apgd", steps=steps)]
    return [stage("pgd", steps=steps)]


def _curve(context: CheckContext, result: Robustness, fallen: dict[float, int]) -> Curve:
    n, right = len(result.samples), len(result.attacked)
    radii = sorted(fallen)
    points = [proportion("robust_accuracy", right - fallen[r], n) for r in radii]
    bands = [p.interval for p in points if p.interval is not None]
    measured = Series(
        "robust accuracy (upper bound)",
        tuple(radii),
        tuple(p.value for p in points),
        tuple(band.low for band in bands),
        tuple(band.high for band in bands),
    )
    clean = result.clean_accuracy.value
    reference = Series("clean accuracy", (0.0, radii[-1]), (clean, clean), reference=True)
    unit = "fraction of each feature's range" if context.threat.unit == "range" else "input units"
    return Curve(
        kind="robust_accuracy_by_eps",
        title=f"Robust accuracy against {context.threat.norm} radius, n={n}",
        x_label=f"eps ({unit})",
        y_label="accuracy",
        series=(measured, reference),
    )
