"""FMN: fast minimum norm, a descent whose ball shrinks after a hit and grows after a miss."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from gambeson.attacks.base import EvasionFacts, Problem, State, evasion, rows, where
from gambeson.attacks.losses import margin
from gambeson.attacks.projections import PROJECTIONS
from gambeson.core.threat import Access, Norm
from gambeson.models.oracle import Oracle

_BEYOND = 1.01
"""A hair past the linear boundary: a step exactly onto it is not misclassified."""
_FIRST_STEP = {Norm.LINF: 1.0, Norm.L2: 1.0, Norm.L1: 0.2, Norm.L0: 6.0}
_DUAL = {Norm.LINF: 1, Norm.L2: 2, Norm.L1: math.inf}


@dataclass(frozen=True, slots=True)
class FMNState(State):
    """Perturbation (n, *shape), radius (n,), smallest hit so far (n,), whether it ever hit (n,)."""

    delta: Tensor
    radius: Tensor
    best: Tensor
    hit: Tensor


@evasion.register(
    "fmn",
    EvasionFacts(
        access=Access.GRADIENT,
        norms=(Norm.LINF, Norm.L2, Norm.L1, Norm.L0),
        source="Pintor et al. 2021, arXiv:2102.12827, algorithm 1",
        minimum_norm=True,
    ),
)
@dataclass(frozen=True, slots=True)
class FMN:
    """Ascend the margin by normalised steps inside a ball whose radius follows the boundary.

    Attributes:
        steps: Gradient steps.
        step_size: First step's length, as a multiple of the radius (times sqrt(d) under linf, in input units
            under l0); decays by a cosine to a hundredth. ``None`` for the norm's own.
        radius_step: First relative change of the radius (gamma); decays by a cosine to a fiftieth.
    """

    steps: int = 100
    step_size: float | None = None
    radius_step: float = 0.05

    @property
    def length(self) -> int:
        """One gradient a step, and one more query to judge the last point."""
        return self.steps + 1

    def init(self, oracle: Oracle, problem: Problem) -> FMNState:
        """Start at the sample with no idea of the radius."""
        n, device = len(problem.y), problem.y.device
        infinite = torch.full((n,), math.inf, device=device)
        never = torch.zeros(n, dtype=torch.bool, device=device)
        return FMNState(torch.zeros_like(problem.ball.x), infinite, infinite, never)

    def step(self, oracle: Oracle, problem: Problem, state: FMNState, t: int) -> FMNState:
        """Look, set the radius, move, project."""
        ball, norm = problem.ball, problem.ball.space.norm
        if t == self.steps:
            oracle.labels(ball.apply(state.delta))
            return state
        at = oracle.gradient(ball.apply(state.delta), margin, problem.y)
        grad = ball.space.slope(at.grad)
        size = ball.space.measure(state.delta)
        state = self._radius(state, at.loss, grad, size, norm, t)
        first = _FIRST_STEP[norm] if self.step_size is None else self.step_size
        spread = grad[0].numel() ** 0.5 if norm is Norm.LINF else 1.0
        length = _cosine(first, first / 100, t, self.steps) * spread * _reach(state.radius, norm)
        direction = grad / rows(grad.flatten(1).norm(dim=1).clamp_min(1e-12), grad)
        moved = state.delta + rows(length, grad) * direction
        return replace(state, delta=ball.inside(_shrink(moved, state.radius, norm)))

    def _radius(
        self, state: FMNState, loss: Tensor, grad: Tensor, size: Tensor, norm: Norm, t: int
    ) -> FMNState:
        gamma = _cosine(self.radius_step, self.radius_step / 50, t, self.steps)
        wrong = loss > 0
        best = torch.where(wrong & (size < state.best), size, state.best)
        hit = state.hit | wrong
        if norm is Norm.L0:
            closer = torch.minimum(state.radius - 1, (state.radius * (1 - gamma)).floor())
            wider = torch.maximum(state.radius + 1, (state.radius * (1 + gamma)).floor())
            estimate = torch.where(state.radius.isinf(), size + 1, wider)
        else:
            closer, wider = state.radius * (1 - gamma), state.radius * (1 + gamma)
            slope = torch.linalg.vector_norm(grad.flatten(1), _DUAL[norm], dim=1).clamp_min(1e-12)
            estimate = size + _BEYOND * loss.abs() / slope  # linear distance to the boundary
            estimate = torch.where(state.radius.isinf(), estimate, torch.maximum(estimate, wider))
        shrunk = torch.minimum(closer, best)
        shrunk = torch.where(state.radius.isinf(), best * (1 - gamma), shrunk)
        grown = torch.where(hit, wider, estimate)
        return FMNState(state.delta, torch.where(wrong, shrunk, grown).clamp_min(0), best, hit)


def _reach(radius: Tensor, norm: Norm) -> Tensor:
    """Length to which steps are relative (n,)."""
    return torch.ones_like(radius) if norm is Norm.L0 else radius.clamp_max(1e6)


def _cosine(first: float, last: float, t: int, steps: int) -> float:
    return last + (first - last) * (1 + math.cos(math.pi * t / steps)) / 2


def _shrink(delta: Tensor, radius: Tensor, norm: Norm) -> Tensor:
    """Each row onto its own ball, without the box: a row scaled by its radius goes onto the unit ball."""
    if norm is Norm.L0:
        flat = delta.flatten(1)
        place = flat.abs().argsort(dim=1, descending=True, stable=True).argsort(1)
        return torch.where(place < radius[:, None], flat, 0.0).reshape(delta.shape)
    unit = rows(radius.clamp(1e-12, 1e12), delta)
    flat = (delta / unit).flatten(1)
    far = torch.full_like(flat, math.inf)
    return where(radius > 0, PROJECTIONS[norm](flat, 1.0, -far, far).reshape(delta.shape) * unit, delta * 0)
