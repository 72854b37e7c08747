"""DDN: decoupled direction and norm, an l2 attack that sets the length apart from the direction."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from gambeson.attacks.base import EvasionFacts, Problem, State, evasion, rows
from gambeson.attacks.losses import cross_entropy
from gambeson.core.threat import Access, Norm
from gambeson.models.oracle import Oracle


@dataclass(frozen=True, slots=True)
class DDNState(State):
    """Perturbation (n, *shape) and its length (n,)."""

    delta: Tensor
    radius: Tensor


@evasion.register(
    "ddn",
    EvasionFacts(
        access=Access.GRADIENT,
        norms=(Norm.L2,),
        source="Rony et al. 2019, arXiv:1811.09600, algorithm 1",
        minimum_norm=True,
    ),
)
@dataclass(frozen=True, slots=True)
class DDN:
    """Step along the normalised gradient, then set the length: shorter after a hit, longer after a miss.

    Attributes:
        steps: Gradient steps.
        radius: First length, in input units.
        radius_step: Relative change of the length (gamma).
    """

    steps: int = 100
    radius: float = 1.0
    radius_step: float = 0.05

    @property
    def length(self) -> int:
        """One gradient a step, and one more query to judge the last point."""
        return self.steps + 1

    def init(self, oracle: Oracle, problem: Problem) -> DDNState:
        """Start at the sample."""
        return DDNState(
            torch.zeros_like(problem.ball.x),
            torch.full((len(problem.y),), self.radius, device=problem.y.device),
        )

    def step(self, oracle: Oracle, problem: Problem, state: DDNState, t: int) -> DDNState:
        """Look, step, set the length."""
        ball, delta = problem.ball, state.delta
        if t == self.steps:
            oracle.labels(ball.apply(delta))
            return state
        at = oracle.gradient(ball.apply(delta), cross_entropy, problem.y)
        wrong = at.scores.argmax(1) != problem.y
        grad = ball.space.slope(at.grad)
        flat = grad.flatten(1).norm(dim=1)
        aimless = problem.rng.normal(t, *delta.shape[1:])  # a gradient of nothing: any direction will do
        aimless = torch.where(ball.space.frozen, 0.0, aimless)
        grad = torch.where(rows(flat > 0, grad), grad, aimless)
        length = 0.01 + 0.99 * (1 + math.cos(math.pi * t / self.steps)) / 2
        moved = delta + length * grad / rows(grad.flatten(1).norm(dim=1).clamp_min(1e-12), grad)
        radius = state.radius * torch.where(wrong, 1 - self.radius_step, 1 + self.radius_step)
        moved = moved * rows(radius / moved.flatten(1).norm(dim=1).clamp_min(1e-12), moved)
        return DDNState(ball.inside(moved), radius)
