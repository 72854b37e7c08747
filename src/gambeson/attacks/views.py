"""Views of a model: what an attack looks through where the model's own gradients or answers mislead.

A view answers as the model does, or ranks the classes as it does. Whatever an attack finds through it is confirmed on
the model itself.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from gambeson.attacks.averaging import average
from gambeson.attacks.ensemble import Stage, StageRecord, stage
from gambeson.attacks.geometry import PerturbationSet
from gambeson.attacks.harness import Run, Samples
from gambeson.attacks.judge import verify
from gambeson.attacks.losses import margin
from gambeson.attacks.protocols import strongest
from gambeson.attacks.robustness import Robustness, measure_robustness
from gambeson.attacks.sanity import Cause, Diagnosis, depends_on_the_batch
from gambeson.core.errors import ModelError
from gambeson.core.reproduce import Seed
from gambeson.core.stats import proportion
from gambeson.core.threat import Norm
from gambeson.models.finite_gradient import FiniteGradient
from gambeson.models.model import Differentiable, Model
from gambeson.models.natural_logits import NaturalLogits
from gambeson.models.passes import Passes
from gambeson.models.straight_through import StraightThrough

DRAWS = 16
"""Passes over which a randomised model's answers and gradients are averaged while it is attacked."""
_CONFIRMING_DRAWS = 64
_RIVALS = 4
"""Random steps that a step along the gradient must beat."""
_TRUSTED = 0.25
"""Share of samples on which it must beat them, beyond those on which they beat it."""
_CLEARLY = 0.1
"""By how much a view must be better to be preferred."""


@dataclass(frozen=True, slots=True)
class View:
    """A model as an attack sees it.

    Attributes:
        passes: Runs what is attacked.
        judge: Runs what must confirm every success: the model itself, or its mean answer over fresh draws.
        found: What was wrong with the model's own gradients or answers.
        means: How the view gets around it, in words; empty for the model as it is.
        trusted: Whether a step along the view's gradients raises the margin more than random steps do.
    """

    passes: Passes
    judge: Passes
    found: Diagnosis
    means: tuple[str, ...] = ()
    trusted: bool = True


def see_answers(passes: Passes, found: Diagnosis, seed: Seed) -> View:
    """The model, or the mean answer of a randomised one: enough for attacks without gradients.

    Args:
        passes: The model.
        found: What was found wrong with it.
        seed: Of the draws.

    Raises:
        Unavailable: Its answers depend on the batch: no figure about single inputs can be right.
    """
    if found.cause is Cause.BATCH_DEPENDENT:
        raise depends_on_the_batch(passes.model.info.name, found)
    if found.cause is not Cause.RANDOMISED:
        return View(passes, passes, found)
    mean, judge = (
        Passes(average(passes.model, draws, seed.child(name)), passes.rows)
        for draws, name in ((DRAWS, "mean"), (_CONFIRMING_DRAWS, "confirm"))
    )
    return View(mean, judge, found, (f"the mean of {DRAWS} answers (EOT)",))


def see_through(
    passes: Passes, found: Diagnosis, x: Tensor, y: Tensor, space: PerturbationSet, *, seed: Seed
) -> View:
    """The view of a model whose gradients lead furthest; the model itself where they can be believed.

    Args:
        passes: The model.
        found: What was found wrong with it.
        x: (n, *shape) inputs that it classifies correctly, on its device.
        y: (n,) their labels.
        space: The perturbation set.
        seed: Of directions and draws.

    Raises:
        Unavailable: Its answers depend on the batch.
        ModelError: It does not answer.
    """
    view = see_answers(passes, found, seed)
    model, plain = passes.differentiable, view.passes.differentiable
    if found.cause is Cause.NONE or model is None or plain is None or not len(x):
        return view
    space = space.to(x.device)
    measure = Passes(NaturalLogits(plain, x), passes.rows)
    best, lead = replace(view, trusted=False), (-1.0, 0.0)
    for means, sighted in _sighted(model, x, seed, found.cause):
        candidate = Passes(sighted, passes.rows)
        try:
            gained = _gain(candidate, measure, x, y, space, seed)
        except ModelError:
            continue
        if _leads_further(gained, lead):
            trusted = gained[0] >= _TRUSTED
            best, lead = View(candidate, view.judge, found, (*view.means, *means), trusted), gained
    return best


def _leads_further(gained: tuple[float, float], lead: tuple[float, float]) -> bool:
    """Whether a view is clearly better than the best of those before it, which do less to the gradients."""
    share, won = gained[0] - lead[0], gained[1] - lead[1]
    return share > _CLEARLY or (share >= -_CLEARLY / 2 and won > _CLEARLY * abs(lead[1]))


def _sighted(
    model: Differentiable, x: Tensor, seed: Seed, cause: Cause
) -> Iterator[tuple[tuple[str, ...], Differentiable]]:
    """Models that answer like this one, with other gradients; each with words for what it does."""
    natural = ("logits at their natural scale",) if cause is Cause.SATURATED else ()
    for means, sighted in (
        ((), model),
        (("gradients without NaN",), FiniteGradient(model)),
        (("the identity in place of what cannot be differentiated (BPDA)",), StraightThrough(model)),
        (
            ("the identity in place of all before the first layer (BPDA)",),
            FiniteGradient(StraightThrough(model, to_first_layer=True)),
        ),
    ):
        seen: Model = NaturalLogits(sighted, x)
        if cause is Cause.RANDOMISED:
            seen = average(seen, DRAWS, seed.child("draws", *means))
        assert isinstance(seen, Differentiable)
        yield (*natural, *means), seen


def _gain(
    candidate: Passes, measure: Passes, x: Tensor, y: Tensor, space: PerturbationSet, seed: Seed
) -> tuple[float, float]:
    """How far a step as long as the radius leads: share of samples on which it beats random steps, mean margin won.

    The share counts samples on which it wins less than random steps against it.
    """
    ball, before = space.around(x), margin(measure.scores(x), y)
    generator = torch.Generator().manual_seed(seed.child("rivals").integer())
    radius = space.eps if space.bounded else float(space.measure((space.high - space.low)[None])[0]) / 20

    def won(direction: Tensor) -> Tensor:
        delta = ball.inside(radius * ball.ascent(torch.zeros_like(x), direction))
        return margin(measure.scores(ball.apply(delta)), y) - before

    by_gradient = won(candidate.gradient(x, margin, y).grad)
    draws = [torch.randn(x.shape, generator=generator).to(x.device) for _ in range(_RIVALS)]
    by_chance = torch.stack([won(draw) for draw in draws]).amax(0)
    difference = (by_gradient - by_chance).sign()
    return float(difference.mean()), float(by_gradient.mean())


def follow_up(view: View, norm: Norm, queries: int) -> list[Stage]:
    """The attack that a view asks for: ``strongest`` along its gradients, random search where it has none to trust.

    Args:
        view: From ``see_through``.
        norm: Norm of the threat.
        queries: Most queries of each search.
    """
    plan = strongest(norm, view.passes.model.info.classes)
    if view.trusted and view.found.cause is not Cause.UNKNOWN:
        return plan
    return [*(plan if view.trusted else ()), *_searches(norm, queries)]


def _searches(norm: Norm, queries: int) -> list[Stage]:
    """What needs no gradients: from scores, then from labels, which are left where scores tell nothing more."""
    by_scores = [stage("square", f"search({queries})", queries=queries)]
    if norm is Norm.LINF:
        return [*by_scores, stage("rays", f"rays({queries})", queries=queries)]
    if norm is Norm.L2:
        return [*by_scores, stage("hopskipjump", f"hopskipjump({queries})", queries=queries)]
    return [] if norm is Norm.L0 else by_scores


def measure_through(
    view: View,
    stages: Sequence[Stage],
    samples: Samples,
    space: PerturbationSet,
    *,
    budget: int | None,
    run: Run,
) -> Robustness:
    """Attack through a view; only what the model itself confirms has fallen.

    Raises:
        AccessDenied: An attack asked for more access than it declared.
        ModelError: The model answered with something unusable.
    """
    result = measure_robustness(stages, view.passes, samples, space, budget=budget, run=run)
    return result if view.judge is view.passes else _confirm(result, view.judge, space)


def _confirm(result: Robustness, judge: Passes, space: PerturbationSet) -> Robustness:
    """The result without the successes that the judge refuses."""
    found = result.outcome
    hit = np.flatnonzero(found.fallen)
    rows = torch.from_numpy(result.attacked[hit])
    device = torch.device(judge.device)
    x, y = result.samples.x[rows].to(device), result.samples.y[rows].to(device)
    claims = torch.from_numpy(found.adversarial[hit]).to(device)
    held = verify(judge, claims, y, space.to(device).around(x)).cpu().numpy()
    refused = hit[~held]
    if not len(refused):
        return result
    fallen, stages, distance, adversarial = (
        a.copy() for a in (found.fallen, found.stage, found.distance, found.adversarial)
    )
    records = tuple(_without(r, int((stages[refused] == i).sum())) for i, r in enumerate(found.records))
    adversarial[refused] = result.samples.x.numpy()[result.attacked[refused]]
    fallen[refused], stages[refused], distance[refused] = False, -1, np.inf
    outcome = replace(
        found, fallen=fallen, stage=stages, distance=distance, adversarial=adversarial, records=records
    )
    standing = len(result.attacked) - int(fallen.sum())
    robust = proportion("robust_accuracy", standing, len(result.samples), better="higher")
    return replace(result, outcome=outcome, robust_accuracy=robust)


def _without(record: StageRecord, refused: int) -> StageRecord:
    return replace(record, fell=record.fell - refused, refuted=record.refuted + refused)
