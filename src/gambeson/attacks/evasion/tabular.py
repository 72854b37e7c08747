"""Random search over rows of a table that could exist: numbers within the norm, categories, relations kept."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from gambeson.attacks.base import EvasionFacts, Problem, State, evasion, where
from gambeson.attacks.losses import margin
from gambeson.attacks.recoding import own_codes, recode
from gambeson.core.threat import Access, Norm
from gambeson.models.oracle import Oracle

_RECODE = 0.4
"""Chance that a candidate changes a category, where categories may change."""
_HALVINGS = (0.002, 0.01, 0.05, 0.1, 0.2, 0.4)
"""Shares of the queries after which the share of the numbers that a candidate moves is halved."""


@dataclass(frozen=True, slots=True)
class TabularState(State):
    """The best row so far: perturbation of the numbers (n, *shape), categories (n, c), margin (n,)."""

    delta: Tensor
    codes: Tensor
    loss: Tensor


@evasion.register(
    "tabular",
    EvasionFacts(
        access=Access.SCORES,
        norms=(Norm.LINF, Norm.L2, Norm.L1, Norm.L0),
        source="search of Andriushchenko et al. 2020, arXiv:1912.00049, algorithm 1, in the constrained space of "
        "Simonetto et al. 2022, arXiv:2112.01156, section 3",
        queries_to_init=1,
    ),
)
@dataclass(frozen=True, slots=True)
class Tabular:
    """Move a few numbers, and now and then a category; keep what does not lower the margin.

    A moved number goes to an end of its range, to a random place in it, or back to where it was: trees answer in
    the middle as readily as at the ends. What does no harm is kept too, because trees are flat between two splits.

    Attributes:
        queries: Queries per sample, the one at the start included.
        share: Share of the numbers that the first candidates move.
    """

    queries: int = 1_000
    share: float = 0.8

    @property
    def length(self) -> int:
        """One query a step; the start takes one."""
        return self.queries - 1

    def init(self, oracle: Oracle, problem: Problem) -> TabularState:
        """Every number at a random end of its range, categories as they are."""
        ball, codes = problem.ball, own_codes(problem)
        low, high = ball.ends()
        delta = ball.project(torch.where(problem.rng.uniform(0, *low.shape[1:]) < 0.5, low, high))
        return TabularState(delta, codes, margin(oracle.scores(ball.apply(delta, None, codes)), problem.y))

    def step(self, oracle: Oracle, problem: Problem, state: TabularState, t: int) -> TabularState:
        """One candidate per sample."""
        ball = problem.ball
        codes = recode(problem, state.codes, t + 1, _RECODE)
        turned = (codes != state.codes).any(1)
        delta = where(turned, state.delta, self._moved(problem, state.delta, t + 1))
        x = ball.apply(delta, None, codes)
        loss = margin(oracle.scores(x), problem.y)
        kept = (loss >= state.loss) & ball.contains(x)
        return TabularState(
            where(kept, delta, state.delta), where(kept, codes, state.codes), where(kept, loss, state.loss)
        )

    def _moved(self, problem: Problem, delta: Tensor, t: int) -> Tensor:
        """Some numbers elsewhere."""
        ball, rng = problem.ball, problem.rng
        free = (ball.high > ball.low).flatten(1)
        halvings = sum(t > share * max(problem.steps, 1) for share in _HALVINGS)
        count = (self.share * 0.5**halvings * free.sum(1, keepdim=True)).round().clamp_min(1)
        order = torch.where(free, rng.uniform(t, free.shape[1]), 2.0).argsort(1).argsort(1)
        chosen = ((order < count) & free).reshape(delta.shape)
        low, high = ball.ends()
        kind = rng.uniform(t, *delta.shape[1:], stream=1)
        between = low + rng.uniform(t, *delta.shape[1:], stream=2) * (high - low)
        value = torch.where(kind < 0.3, low, torch.where(kind < 0.6, high, between))
        value = torch.where(kind > 0.9, 0.0, value)
        return ball.project(torch.where(chosen, value, delta))
