"""Symptoms of masked gradients: what an attack on an honest model never shows, whatever the cause may be."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum

import numpy as np
import torch

from gambeson.attacks.ensemble import Stage, stage
from gambeson.attacks.geometry import PerturbationSet
from gambeson.attacks.harness import AttackOutcome, Run, Samples, run_attack
from gambeson.attacks.losses import cross_entropy, margin
from gambeson.attacks.randomness import SampleRandom
from gambeson.core.errors import ModelError
from gambeson.core.threat import Norm
from gambeson.models.passes import Passes


class Symptom(StrEnum):
    """What was seen."""

    FLAT = "the loss is flat"
    NOT_FINITE = "the loss has no finite gradient"
    RANDOM = "random points beat gradients"
    BLACK_BOX = "black box beats white box"
    LARGER = "a larger radius does not help"
    UNBOUNDED = "an unbounded attack fails"


REMEDY = {
    Symptom.FLAT: "attack the logits instead of the cross-entropy, or without gradients",
    Symptom.NOT_FINITE: "mend the function whose derivative is not finite, or attack without gradients",
    Symptom.RANDOM: "believe no figure from gradients: attack with random search",
    Symptom.BLACK_BOX: "believe no figure from gradients: attack with random search or from labels",
    Symptom.LARGER: "attack with more steps, restarts and another loss, or without gradients",
    Symptom.UNBOUNDED: "attack without gradients: any input can be turned into any other without a bound",
}


@dataclass(frozen=True, slots=True)
class Sign:
    """One symptom that was looked for.

    Attributes:
        symptom: Which.
        seen: Whether the model shows it; ``None`` where it could not be looked for.
        detail: What was measured, in words.
    """

    symptom: Symptom
    seen: bool | None
    detail: str


_STEPS = 20
_POINTS = 32
"""Random points per sample."""
_LARGER = 4.0
"""Radius of the larger attack, in multiples of eps."""
_STANDS = 0.05
"""Share of samples that may stand an unbounded attack."""
_SHARE = 0.25
"""Share of samples from which a flat loss, or a margin that a larger radius does not raise, is a symptom."""


def look_for_symptoms(
    passes: Passes, samples: Samples, space: PerturbationSet, *, queries: int, run: Run
) -> tuple[Sign, ...]:
    """Run short attacks that an honest model answers in a known order of strength.

    Args:
        passes: The model.
        samples: Classified correctly; 16 to 64 are enough.
        space: The perturbation set.
        queries: Queries per sample of the black-box attack.
        run: Seeds.

    Returns:
        One sign per symptom; one alone where there is no gradient to look at.

    Raises:
        ModelError: The model answered with something unusable.

    Source: Athalye et al. 2018, arXiv:1802.00420, section 3.1; Carlini et al. 2019, arXiv:1902.06705, section 5.
    """
    device = torch.device(passes.device)
    x, y = samples.x.to(device), samples.y.to(device)
    try:
        grad = passes.gradient(x, cross_entropy, y).grad
        by_gradient = _attack(_white(), passes, samples, space, run, "white")
        wider = _radius(space, _LARGER)
        larger = _attack(_white(), passes, samples, wider, run, "larger") if wider else None
        whole = _radius(space, np.inf)
        unbounded = _attack(_white(), passes, samples, whole, run, "unbounded") if whole else None
    except ModelError as error:
        return (Sign(Symptom.NOT_FINITE, True, error.message),)
    return (
        _flat(grad),
        _random(passes, samples, space, run, by_gradient),
        _black_box(passes, samples, space, run, queries, by_gradient),
        _larger(by_gradient, larger),
        _unbounded(unbounded),
    )


def _white() -> Stage:
    return stage("apgd", f"apgd-ce({_STEPS})", steps=_STEPS)


def _attack(
    item: Stage, passes: Passes, samples: Samples, space: PerturbationSet, run: Run, name: str
) -> AttackOutcome:
    branch = replace(run, seed=run.seed.child(name), key=f"{run.key}/{name}")
    return run_attack(item.attack, item.facts, passes, samples, space, run=branch)


def _radius(space: PerturbationSet, factor: float) -> PerturbationSet | None:
    """The set of a larger radius, at most the whole input space; ``None`` where there is no such radius."""
    whole = float(space.measure(((space.high - space.low) / space.scale)[None])[0])
    radius = min(space.eps * factor, whole)
    return space.with_eps(radius) if np.isfinite(radius) and radius > space.eps else None


def _flat(grad: torch.Tensor) -> Sign:
    flat = int((grad.flatten(1).abs().amax(1) == 0).sum())
    seen = flat >= _SHARE * len(grad)
    return Sign(
        Symptom.FLAT, seen, f"the gradient of the cross-entropy is zero on {flat} of {len(grad)} inputs"
    )


def _random(
    passes: Passes, samples: Samples, space: PerturbationSet, run: Run, by_gradient: AttackOutcome
) -> Sign:
    """Points at the edge of the ball, drawn at random."""
    device = torch.device(passes.device)
    x, y = samples.x.to(device), samples.y.to(device)
    ball = space.to(device).around(x)
    rng = SampleRandom(torch.from_numpy(run.seed.child("points").keys(samples.index)).to(device))
    hit = torch.zeros(len(y), dtype=torch.bool, device=device)
    for step in range(_POINTS):
        delta = ball.random(rng, step)
        points = ball.apply(delta if space.norm is Norm.L0 else ball.project(1e3 * delta))
        hit |= ball.contains(points) & (margin(passes.scores(points), y) > 0)
    more = int((hit.cpu().numpy() & ~by_gradient.fallen).sum())
    return Sign(
        Symptom.RANDOM, more > 0, f"{_POINTS} random points broke {more} inputs that gradients left standing"
    )


def _black_box(
    passes: Passes,
    samples: Samples,
    space: PerturbationSet,
    run: Run,
    queries: int,
    by_gradient: AttackOutcome,
) -> Sign:
    if space.norm is Norm.L0:
        return Sign(Symptom.BLACK_BOX, None, "no attack on scores of this version works under l0")
    search = stage("square", f"square({queries})", queries=queries)
    broke = int(_attack(search, passes, samples, space, run, "black").fallen.sum())
    white, n = int(by_gradient.fallen.sum()), len(samples)
    detail = f"{queries} queries of Square broke {broke} of {n} inputs, {_STEPS} gradient steps {white}"
    return Sign(Symptom.BLACK_BOX, broke > white, detail)


def _larger(by_gradient: AttackOutcome, larger: AttackOutcome | None) -> Sign:
    if larger is None:
        return Sign(Symptom.LARGER, None, "the radius is that of the whole input space")
    n = len(larger.fallen)
    stuck = int((~larger.fallen & (larger.margin <= by_gradient.margin)).sum())
    fell, before = int(larger.fallen.sum()), int(by_gradient.fallen.sum())
    detail = f"at {_LARGER:g} times the radius {fell} of {n} inputs fell instead of {before}"
    return Sign(Symptom.LARGER, fell < before or stuck >= _SHARE * n, detail)


def _unbounded(unbounded: AttackOutcome | None) -> Sign:
    if unbounded is None:
        return Sign(Symptom.UNBOUNDED, None, "the data has no bounds, or the radius reaches them")
    n, stand = len(unbounded.fallen), int((~unbounded.fallen).sum())
    detail = f"with the whole input space to move in, {stand} of {n} inputs stood {_STEPS} gradient steps"
    return Sign(Symptom.UNBOUNDED, stand > max(_STANDS * n, 1), detail)
