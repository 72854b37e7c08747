"""Projected gradient descent with random restarts, for every norm."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from gambeson.attacks.base import EvasionFacts, Problem, State, evasion
from gambeson.attacks.losses import cross_entropy
from gambeson.core.threat import Access, Norm
from gambeson.models.oracle import Oracle


@dataclass(frozen=True, slots=True)
class PGDState(State):
    """The current perturbation (n, *shape)."""

    delta: Tensor


@evasion.register(
    "pgd",
    EvasionFacts(
        access=Access.GRADIENT,
        norms=(Norm.LINF, Norm.L2, Norm.L1, Norm.L0),
        source="Madry et al. 2018, arXiv:1706.06083, eq. 3; l0: Croce & Hein 2019, arXiv:1909.05040",
    ),
)
@dataclass(frozen=True, slots=True)
class PGD:
    """Ascend the cross-entropy from a random start, projecting onto the ball after every step.

    Attributes:
        steps: Gradient steps per restart.
        step_size: Length of a step as a fraction of eps; ``None`` for 2.5 / steps (Madry's rule), at
            least 1/10.
        restarts: Random starts, one after another.
        random_start: False starts at the sample itself.
    """

    steps: int = 40
    step_size: float | None = None
    restarts: int = 1
    random_start: bool = True

    @property
    def length(self) -> int:
        """Steps over all restarts, and one more query to judge the last point."""
        return (self.steps + 1) * self.restarts

    def init(self, oracle: Oracle, problem: Problem) -> PGDState:
        """Nothing is queried yet."""
        return PGDState(torch.zeros_like(problem.ball.x))

    def step(self, oracle: Oracle, problem: Problem, state: PGDState, t: int) -> PGDState:
        """One gradient step; the first of each restart starts afresh, the last only judges."""
        ball, delta = problem.ball, state.delta
        if t % (self.steps + 1) == 0:
            delta = ball.random(problem.rng, t) if self.random_start else torch.zeros_like(delta)
        if t % (self.steps + 1) == self.steps:
            oracle.scores(ball.apply(delta))
            return PGDState(delta)
        grad = oracle.gradient(ball.apply(delta), cross_entropy, problem.y).grad
        length = (self.step_size or max(2.5 / self.steps, 0.1)) * ball.space.eps
        return PGDState(ball.project(delta + length * ball.ascent(delta, grad)))
