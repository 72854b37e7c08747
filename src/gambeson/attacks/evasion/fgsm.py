"""The fast gradient sign method: one step."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from gambeson.attacks.base import EvasionFacts, Problem, State, evasion
from gambeson.attacks.losses import cross_entropy
from gambeson.core.threat import Access, Norm
from gambeson.models.oracle import Oracle


@evasion.register(
    "fgsm",
    EvasionFacts(
        access=Access.GRADIENT,
        norms=(Norm.LINF, Norm.L2, Norm.L1),
        source="Goodfellow et al. 2015, arXiv:1412.6572, section 4; l2, l1: the steepest step of the same length",
        queries_per_step=2,
    ),
)
@dataclass(frozen=True, slots=True)
class FGSM:
    """One step of length eps in the direction of steepest ascent of the cross-entropy."""

    @property
    def length(self) -> int:
        """One step."""
        return 1

    def init(self, oracle: Oracle, problem: Problem) -> State:
        """Nothing to keep."""
        return State()

    def step(self, oracle: Oracle, problem: Problem, state: State, t: int) -> State:
        """The gradient at the sample, and the point it leads to."""
        ball = problem.ball
        zero = torch.zeros_like(ball.x)
        grad = oracle.gradient(ball.apply(zero), cross_entropy, problem.y).grad
        oracle.scores(ball.apply(ball.project(ball.space.eps * ball.ascent(zero, grad))))
        return state
