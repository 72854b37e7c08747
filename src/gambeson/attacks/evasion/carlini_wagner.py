"""The Carlini-Wagner l2 attack: Adam on distance plus margin, with a search for their balance."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from gambeson.attacks.base import EvasionFacts, Problem, State, evasion, rows, where
from gambeson.attacks.losses import margin
from gambeson.core.threat import Access, Norm
from gambeson.models.oracle import Oracle

_BETA_1, _BETA_2, _TINY = 0.9, 0.999, 1e-8
_SQUEEZE = 0.9999
"""Keeps the starting point off the ends of tanh, where its gradient is zero: the nearer, the more steps to leave."""


@dataclass(frozen=True, slots=True)
class CWState(State):
    """Point in tanh space and Adam's moments (n, *shape); balance and its bracket, hit this search (n,)."""

    w: Tensor
    mean: Tensor
    square: Tensor
    balance: Tensor
    lower: Tensor
    upper: Tensor
    hit: Tensor


@evasion.register(
    "carlini_wagner",
    EvasionFacts(
        access=Access.GRADIENT,
        norms=(Norm.L2,),
        source="Carlini & Wagner 2017, arXiv:1608.04644, section VI-A",
        minimum_norm=True,
    ),
)
@dataclass(frozen=True, slots=True)
class CarliniWagner:
    """Minimise ||delta||^2 + c * max(0, true score - best other), in tanh space so that the box holds.

    A search goes on from where the one before failed, and starts at the sample after one that succeeded.

    Attributes:
        steps: Adam steps per value of c.
        searches: Values of c that the binary search tries per sample.
        learning_rate: Adam's.
        balance: First c.
    """

    steps: int = 100
    searches: int = 9
    learning_rate: float = 0.01
    balance: float = 1e-3

    @property
    def length(self) -> int:
        """Steps over all searches."""
        return self.steps * self.searches

    def init(self, oracle: Oracle, problem: Problem) -> CWState:
        """Start at the sample."""
        zero = torch.zeros_like(problem.ball.x)
        number = torch.zeros(len(problem.y), device=zero.device)
        return CWState(
            w=_to_tanh(problem),
            mean=zero,
            square=zero,
            balance=number + self.balance,
            lower=number,
            upper=number + 1e10,
            hit=number > 0,
        )

    def step(self, oracle: Oracle, problem: Problem, state: CWState, t: int) -> CWState:
        """One Adam step; at the end of a search, the next c."""
        ball, i = problem.ball, t % self.steps
        if t and i == 0:
            state = _next_search(problem, state)
        squashed = state.w.tanh()
        middle, half = (ball.high + ball.low) / 2, (ball.high - ball.low) / 2
        delta = middle + half * squashed
        at = oracle.gradient(ball.apply(delta), margin, problem.y)
        pull = ball.space.slope(at.grad)
        pull = rows(state.balance * (at.loss <= 0), pull) * pull
        grad = (2 * delta - pull) * half * (1 - squashed.square())
        mean = _BETA_1 * state.mean + (1 - _BETA_1) * grad
        square = _BETA_2 * state.square + (1 - _BETA_2) * grad.square()
        way = (mean / (1 - _BETA_1 ** (i + 1))) / ((square / (1 - _BETA_2 ** (i + 1))).sqrt() + _TINY)
        w = state.w - self.learning_rate * way
        return replace(state, w=w, mean=mean, square=square, hit=state.hit | (at.loss > 0))


def _to_tanh(problem: Problem) -> Tensor:
    ball = problem.ball
    middle, half = (ball.high + ball.low) / 2, (ball.high - ball.low) / 2
    return torch.where(half > 0, -middle / half.clamp_min(1e-12) * _SQUEEZE, 0.0).atanh()


def _next_search(problem: Problem, state: CWState) -> CWState:
    """The bracket halved: afresh with a smaller c after a hit, from where it stands with a larger one after none."""
    upper = torch.where(state.hit, torch.minimum(state.upper, state.balance), state.upper)
    lower = torch.where(state.hit, state.lower, torch.maximum(state.lower, state.balance))
    balance = torch.where(upper < 1e9, (lower + upper) / 2, state.balance * 10)
    zero = torch.zeros_like(state.w)
    w = where(state.hit, _to_tanh(problem), state.w)
    return CWState(w, zero, zero, balance, lower, upper, torch.zeros_like(state.hit))
