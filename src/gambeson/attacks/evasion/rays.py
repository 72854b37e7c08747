"""RayS: discrete search over sign directions for the smallest linf radius, by labels only."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from gambeson.attacks.base import EvasionFacts, Problem, State, evasion, rows
from gambeson.attacks.decisions import Decisions
from gambeson.core.threat import Access, Norm
from gambeson.models.oracle import Oracle


@dataclass(frozen=True, slots=True)
class RaySState(State):
    """Signs of the best direction (n, *shape) and its radius (n,)."""

    signs: Tensor
    radius: Tensor


@evasion.register(
    "rays",
    EvasionFacts(
        access=Access.LABELS,
        norms=(Norm.LINF,),
        source="Chen & Gu 2020, arXiv:2006.12792, algorithms 1 and 3",
        queries_per_step=None,
        minimum_norm=True,
    ),
)
@dataclass(frozen=True, slots=True)
class RayS:
    """Flip the signs of ever smaller blocks; keep a flip that is misclassified at the best radius, and bisect.

    Attributes:
        queries: Most queries per sample.
        bisections: Queries of a bisection along a better direction.
    """

    queries: int = 5_000
    bisections: int = 8

    @property
    def length(self) -> int:
        """One block a query at most."""
        return self.queries

    def init(self, oracle: Oracle, problem: Problem) -> RaySState:
        """All signs up, the radius of the whole range."""
        width = (problem.ball.high - problem.ball.low).flatten(1).amax(1)
        return RaySState(torch.ones_like(problem.ball.x), width)

    def step(self, oracle: Oracle, problem: Problem, state: RaySState, t: int) -> RaySState:
        """Flip one block of each sample's signs."""
        ask, ball = Decisions(oracle, problem), problem.ball
        of = ask.affordable(torch.arange(len(problem.y), device=problem.y.device))
        signs = state.signs.flatten(1).clone()
        if t:
            first, last = _block(t - 1, signs.shape[1])
            signs[:, first:last] *= -1
        signs = signs.reshape(state.signs.shape)
        candidate = ball.inside(rows(state.radius, signs) * signs)
        better = of[ask.wrong(candidate[of], of)]
        if not len(better):
            return state
        kept, radius = state.signs.clone(), state.radius.clone()
        kept[better] = signs[better]
        share = self._search(ask, signs[better], state.radius[better], better)
        radius[better] = share
        return RaySState(kept, radius)

    def _search(self, ask: Decisions, signs: Tensor, radius: Tensor, of: Tensor) -> Tensor:
        """The smallest misclassified radius along the signs."""
        low, high, ball = torch.zeros_like(radius), radius.clone(), ask.problem.ball.select(of)
        for _ in range(self.bisections):
            live = (ask.oracle.left.to(of.device)[of] > 0).nonzero().squeeze(1)
            middle = (low + high) / 2
            tried = ball.inside(rows(middle, signs) * signs)
            wrong = ask.wrong(tried[live], of[live])
            high[live] = torch.where(wrong, middle[live], high[live])
            low[live] = torch.where(wrong, low[live], middle[live])
        return high


def _block(number: int, size: int) -> tuple[int, int]:
    """Bounds of the ``number``-th block: the whole, its halves, its quarters, ..., single features, again."""
    level, blocks = 0, 1
    while number >= blocks:
        number -= blocks
        level = level + 1 if 2**level < size else 0
        blocks = min(2**level, size)
    return number * size // blocks, (number + 1) * size // blocks
