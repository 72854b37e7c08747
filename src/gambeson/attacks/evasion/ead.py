"""EAD: elastic-net attack, sparse perturbations by shrinkage under an l1 decision rule."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from gambeson.attacks.base import EvasionFacts, Problem, State, evasion, rows
from gambeson.attacks.losses import margin
from gambeson.core.threat import Access, Norm
from gambeson.models.oracle import Oracle


@dataclass(frozen=True, slots=True)
class EADState(State):
    """Iterate and extrapolated point (n, *shape); balance, its bracket and whether it hit (n,)."""

    delta: Tensor
    ahead: Tensor
    balance: Tensor
    lower: Tensor
    upper: Tensor
    hit: Tensor


@evasion.register(
    "ead",
    EvasionFacts(
        access=Access.GRADIENT,
        norms=(Norm.L1,),
        source="Chen et al. 2018, arXiv:1709.04114, algorithm 1",
        queries_per_step=2,
        minimum_norm=True,
    ),
)
@dataclass(frozen=True, slots=True)
class EAD:
    """Minimise c * margin + ||delta||^2 + beta ||delta||_1 by accelerated shrinkage (FISTA).

    Attributes:
        steps: Steps per value of c, each a gradient and a query of the point reached.
        searches: Values of c that the binary search tries per sample.
        learning_rate: First step size; falls with the square root of the time left.
        beta: Weight of the l1 norm.
        balance: First c.
    """

    steps: int = 100
    searches: int = 9
    learning_rate: float = 0.01
    beta: float = 1e-2
    balance: float = 1e-3

    @property
    def length(self) -> int:
        """Steps over all searches."""
        return self.steps * self.searches

    def init(self, oracle: Oracle, problem: Problem) -> EADState:
        """Start at the sample."""
        zero = torch.zeros_like(problem.ball.x)
        number = torch.zeros(len(problem.y), device=zero.device)
        return EADState(zero, zero, number + self.balance, number, number + 1e10, number > 0)

    def step(self, oracle: Oracle, problem: Problem, state: EADState, t: int) -> EADState:
        """One shrinkage step; at the end of a search, the next c."""
        ball, i = problem.ball, t % self.steps
        if t and i == 0:
            state = _next_search(state)
        at = oracle.gradient(ball.apply(state.ahead), margin, problem.y)
        pull = ball.space.slope(at.grad)
        grad = 2 * state.ahead - rows(state.balance * (at.loss <= 0), pull) * pull
        rate = self.learning_rate * (1 - i / self.steps) ** 0.5
        moved = state.ahead - rate * grad
        shrunk = ball.inside(moved.sign() * (moved.abs() - self.beta).clamp_min(0))
        hit = (at.loss > 0) | (oracle.labels(ball.apply(shrunk)) != problem.y)
        ahead = ball.inside(shrunk + i / (i + 3) * (shrunk - state.delta))
        return replace(state, delta=shrunk, ahead=ahead, hit=state.hit | hit)


def _next_search(state: EADState) -> EADState:
    """Afresh, with the bracket halved: a smaller c after a hit, a larger one after none."""
    upper = torch.where(state.hit, torch.minimum(state.upper, state.balance), state.upper)
    lower = torch.where(state.hit, state.lower, torch.maximum(state.lower, state.balance))
    balance = torch.where(upper < 1e9, (lower + upper) / 2, state.balance * 10)
    zero = torch.zeros_like(state.delta)
    return EADState(zero, zero, balance, lower, upper, torch.zeros_like(state.hit))
