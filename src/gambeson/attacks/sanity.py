"""Can this model's gradients be believed? Tells the causes of masked gradients apart by behaviour."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import torch
from torch import Tensor

from gambeson.attacks.geometry import PerturbationSet
from gambeson.attacks.losses import cross_entropy, margin
from gambeson.core.errors import ModelError, Unavailable
from gambeson.core.reproduce import Seed
from gambeson.models.finite_gradient import FiniteGradient
from gambeson.models.passes import LANE, Loss, Passes


class Cause(StrEnum):
    """Why gradients mislead an attack."""

    NONE = "none found"
    RANDOMISED = "randomised answers"
    BATCH_DEPENDENT = "answers that depend on the batch"
    NOT_DIFFERENTIABLE = "no gradient at all"
    NOT_FINITE = "gradients that are NaN or infinite"
    SATURATED = "saturated loss"
    QUANTISED_OUTPUT = "quantised answers"
    QUANTISED_INPUT = "quantised input"
    DEAD = "dead gradients"
    VANISHING = "gradients that vanish on features which count"
    SHATTERED = "shattered gradients"
    UNKNOWN = "a cause that is not known"


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """What was found.

    Attributes:
        cause: The cause.
        affected: Samples on which it shows.
        of: Samples looked at.
        detail: What was seen, in words.
    """

    cause: Cause
    affected: int
    of: int
    detail: str


_SHARE = 0.25
"""Share of the samples from which a cause is named."""
_IN_COMPANY = 16
"""Samples that are asked in other company; each takes a pass of its own."""
_SAME = 1e-4
"""Difference of two answers, relative to their spread, that rounding explains."""
_TINY, _SMALL = 1e-4, 1e-1
"""Steps of finite differences, as shares of eps."""
_SURE = 1e-6
"""A probability nearer than this to 0 or 1 tells the label and nothing else."""
_LOST = 1e-8
"""Size of the cross-entropy's gradient, relative to the margin's, below which float32 has lost what leads to it: a
probability that is missing less than this to 1 is 1."""
_TURNS = 4
"""Random moves of the features without gradient."""
_COUNTS = 0.1
"""Share of the change that all features bring from which those without gradient count."""
_COARSE = 1e-4
"""Share of the answers' range below which a grid is no finer than what smooth answers show by chance."""


def diagnose(passes: Passes, x: Tensor, y: Tensor, space: PerturbationSet, seed: Seed) -> Diagnosis:
    """Look for a reason not to believe the model's gradients.

    Args:
        passes: The model.
        x: (n, *shape) inputs that it classifies correctly.
        y: (n,) their labels.
        space: The perturbation set, for its radius and bounds.
        seed: Draws the directions of the finite differences.

    Raises:
        ModelError: The model does not answer.

    Source: Athalye et al. 2018, arXiv:1802.00420, section 3.1; Carlini et al. 2019, arXiv:1902.06705, section 3.
    """
    if not len(x):
        return Diagnosis(Cause.NONE, 0, 0, "no input is classified correctly: there is nothing to look at")
    scores = passes.scores(x)
    found = _by_repetition(passes, x, scores)
    return found if found.cause is not Cause.NONE else _by_gradients(passes, x, y, scores, space, seed)


def diagnose_answers(passes: Passes, x: Tensor) -> Diagnosis:
    """Look for a reason not to believe the model's answers: the part of ``diagnose`` that needs no gradient.

    Args:
        passes: The model.
        x: (n, *shape) any valid inputs.

    Raises:
        ModelError: The model does not answer.
    """
    return _by_repetition(passes, x, passes.scores(x))


def depends_on_the_batch(name: str, found: Diagnosis) -> Unavailable:
    """Why a batch-dependent model gets no robust accuracy.

    Args:
        name: The model.
        found: What was found.
    """
    return Unavailable(
        f"{name}: {found.detail} ({found.affected} of {found.of}), so that no robust accuracy of single inputs exists.",
        expected="answers that do not depend on which other inputs are in the batch",
        remedy="put the network into evaluation mode (model.eval(), batch normalisation with running statistics) "
        "before it is saved or exported, then audit again",
    )


def _by_repetition(passes: Passes, x: Tensor, scores: Tensor) -> Diagnosis:
    """Ask again, and ask some in other company."""
    spread = scores.std().clamp_min(1e-12)
    some = x[:_IN_COMPANY]
    for cause, other, detail in (
        (Cause.RANDOMISED, passes.scores(x), "the same inputs were answered differently a second time"),
        (
            Cause.BATCH_DEPENDENT,
            _in_other_company(passes, some),
            "inputs were answered differently in another batch",
        ),
    ):
        differs = (other - scores[: len(other)]).abs().amax(1) > _SAME * spread
        if float(differs.float().mean()) >= _SHARE:
            return Diagnosis(cause, int(differs.sum()), len(other), detail)
    return Diagnosis(Cause.NONE, 0, len(x), "answers repeat")


def _in_other_company(passes: Passes, x: Tensor) -> Tensor:
    """Each sample's scores beside copies of another one."""
    return torch.cat(
        [
            passes.scores(torch.cat([x[i : i + 1], x[i - 1 : i or None].expand(LANE - 1, *x.shape[1:])]))[:1]
            for i in range(len(x))
        ]
    )


def _by_gradients(
    passes: Passes, x: Tensor, y: Tensor, scores: Tensor, space: PerturbationSet, seed: Seed
) -> Diagnosis:
    n = len(x)
    try:
        of_loss, of_margin = (_gradient(passes, x, y, loss) for loss in (cross_entropy, margin))
    except ModelError as error:
        return Diagnosis(_why_none(passes, x, y), n, n, error.message)
    flat = (of_margin.flatten(1).abs().amax(1) == 0) & (of_loss.flatten(1).abs().amax(1) == 0)
    if float(flat.float().mean()) >= _SHARE:
        return _why_flat(passes, x, scores, space, seed, flat)
    saturated = of_loss.flatten(1).norm(dim=1) < _LOST * of_margin.flatten(1).norm(dim=1)
    if float(saturated.float().mean()) >= _SHARE:
        detail = "the cross-entropy's gradient vanishes where the margin's does not"
        return Diagnosis(Cause.SATURATED, int(saturated.sum()), n, detail)
    wrong = _misleads(passes, x, y, of_margin, space)
    if float(wrong.float().mean()) >= _SHARE:
        detail = "a small step along the gradient does not change the margin as the gradient says"
        return Diagnosis(Cause.SHATTERED, int(wrong.sum()), n, detail)
    blind = _overlooks(passes, x, y, (of_margin == 0) & (of_loss == 0), space, seed)
    if float(blind.float().mean()) >= _SHARE:
        detail = "the gradient is zero on features that change the margin once they move far enough"
        return Diagnosis(Cause.VANISHING, int(blind.sum()), n, detail)
    return Diagnosis(Cause.NONE, 0, n, "answers repeat, and small steps change them as the gradients say")


def _why_none(passes: Passes, x: Tensor, y: Tensor) -> Cause:
    """Whether there is a gradient once what is not finite in it is put aside."""
    if passes.differentiable is None:
        return Cause.NOT_DIFFERENTIABLE
    try:
        _gradient(Passes(FiniteGradient(passes.differentiable), passes.rows), x, y, margin)
    except ModelError:
        return Cause.NOT_DIFFERENTIABLE
    return Cause.NOT_FINITE


def _gradient(passes: Passes, x: Tensor, y: Tensor, loss: Loss) -> Tensor:
    return passes.gradient(x, loss, y).grad


def _why_flat(
    passes: Passes, x: Tensor, scores: Tensor, space: PerturbationSet, seed: Seed, flat: Tensor
) -> Diagnosis:
    """Gradients are zero. Are the answers on a grid, and do they follow a tiny step?"""
    count, n = int(flat.sum()), len(x)
    shares = scores.softmax(1)
    if float(((shares < _SURE) | (shares > 1 - _SURE)).float().mean()) == 1:
        return Diagnosis(Cause.SATURATED, count, n, "every probability is 0 or 1 to the last digit")
    step = _grid(scores) or _grid(scores.exp())
    if step:
        return Diagnosis(Cause.QUANTISED_OUTPUT, count, n, f"answers are multiples of {step:.3g}")
    ball = space.around(x)
    generator = torch.Generator().manual_seed(int(seed.generator().integers(2**31)))
    signs = torch.where(torch.rand(x.shape, generator=generator) < 0.5, -1.0, 1.0).to(x.device)
    signs = torch.where(ball.high <= 0, -1.0, torch.where(ball.low >= 0, 1.0, signs))  # away from the bounds
    moved = passes.scores(ball.apply(ball.inside(_TINY * space.eps * signs)))
    follows = (moved != scores).any(1)[flat]
    if float(follows.float().mean()) >= 0.5:
        return Diagnosis(Cause.DEAD, count, n, "gradients are zero although the answers follow tiny steps")
    return Diagnosis(Cause.QUANTISED_INPUT, count, n, "gradients are zero and tiny steps change no answer")


def _grid(values: Tensor) -> float:
    """The step of which all values are multiples, up to a shift; 0 where there is none."""
    distinct = torch.unique(values.double())
    gaps = distinct.diff()
    spread = float(distinct[-1] - distinct[0])
    gaps = gaps[gaps > 1e-6 * max(spread, 1e-12)]  # closer values are one value, rounded
    if not len(gaps) or float(gaps.min()) < _COARSE * spread:
        return 0.0
    share = gaps / gaps.min()
    return float(gaps.min()) if bool(((share - share.round()).abs() < 1e-2).all()) else 0.0


def _misleads(passes: Passes, x: Tensor, y: Tensor, grad: Tensor, space: PerturbationSet) -> Tensor:
    """Whether a small step along each gradient gains less than a third of what the gradient promises: (n,)."""
    ball = space.around(x)
    delta = ball.inside(_SMALL * space.eps * ball.ascent(torch.zeros_like(x), grad))
    moved = ball.apply(delta)
    promised = (grad * (moved - x)).flatten(1).sum(1)
    gained = margin(passes.scores(moved), y) - margin(passes.scores(x), y)
    told = promised.abs() > 1e-4 * passes.scores(x).std()  # less is lost in rounding
    return told & (gained < promised / 3)


def _overlooks(
    passes: Passes, x: Tensor, y: Tensor, zero: Tensor, space: PerturbationSet, seed: Seed
) -> Tensor:
    """Whether the features without gradient change the margin as steps as long as the radius do: (n,)."""
    ball, before = space.around(x), margin(passes.scores(x), y)
    generator = torch.Generator().manual_seed(seed.child("overlooked").integer())

    def changed(where: Tensor) -> Tensor:
        delta = ball.inside(torch.where(where, ball.ascent(torch.zeros_like(x), signs), 0.0))
        return (margin(passes.scores(ball.apply(delta)), y) - before).abs()

    hidden, whole = torch.zeros_like(before), torch.zeros_like(before)
    for _ in range(_TURNS):
        signs = torch.where(torch.rand(x.shape, generator=generator) < 0.5, -1.0, 1.0).to(x.device)
        hidden = torch.maximum(hidden, changed(zero))
        whole = torch.maximum(whole, changed(torch.ones_like(zero)))
    return hidden > _COUNTS * whole
