"""Square Attack: random search over squares of the image, with scores only."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from gambeson.attacks.base import EvasionFacts, Problem, State, evasion, where
from gambeson.attacks.losses import margin
from gambeson.attacks.windows import candidate, tiles
from gambeson.core.threat import Access, Norm
from gambeson.models.oracle import Oracle

_HALVINGS = (10, 50, 200, 500, 1_000, 2_000, 4_000, 6_000, 8_000)
"""Queries, out of 10,000, after which the squares' area is halved (section 4.1 of the paper)."""


@dataclass(frozen=True, slots=True)
class SquareState(State):
    """The best perturbation so far (n, *shape) and its margin (n,)."""

    best: Tensor
    loss: Tensor


@evasion.register(
    "square",
    EvasionFacts(
        access=Access.SCORES,
        norms=(Norm.LINF, Norm.L2, Norm.L1),
        source="Andriushchenko et al. 2020, arXiv:1912.00049, algorithms 1 to 3; l1: Croce & Hein 2021, "
        "arXiv:2103.01208",
        queries_to_init=1,
    ),
)
@dataclass(frozen=True, slots=True)
class Square:
    """Try a random square; keep it where it lowers the true class's margin.

    Under linf the square is set to +-eps. Under l2 and l1 it takes over the budget of a second square, as a bump.
    Squares are drawn per sample. Tables have no neighbourhood: there a square becomes a random set of features,
    at the same share of the input.

    Attributes:
        queries: Queries per sample, the one at the start included.
        area: Share of the input that the first squares cover (p of the paper).
        rescale: Fit the schedule of the squares' area to the queries; False keeps that of 10,000 queries, as
            AutoAttack does.
    """

    queries: int = 5_000
    area: float = 0.8
    rescale: bool = True

    @property
    def length(self) -> int:
        """One query a step; the start takes one."""
        return self.queries - 1

    def init(self, oracle: Oracle, problem: Problem) -> SquareState:
        """Under linf vertical stripes (section 3.2), else bumps all over (section 3.3)."""
        delta = _stripes(problem) if problem.ball.space.norm is Norm.LINF else tiles(problem)
        scores = oracle.scores(problem.ball.apply(delta))
        return SquareState(delta, margin(scores, problem.y))

    def step(self, oracle: Oracle, problem: Problem, state: SquareState, t: int) -> SquareState:
        """One candidate per sample."""
        share = self._share(t + 1, problem.steps + 1)
        move = _square if problem.ball.space.norm is Norm.LINF else candidate
        delta = move(problem, state.best, share, t + 1)
        loss = margin(oracle.scores(problem.ball.apply(delta)), problem.y)
        better = loss > state.loss
        return SquareState(where(better, delta, state.best), torch.maximum(loss, state.loss))

    def _share(self, query: int, queries: int) -> float:
        """Share of the input that a candidate changes after so many queries."""
        at = query * 10_000 / queries if self.rescale else query
        halvings = sum(at > halving for halving in _HALVINGS)
        return float(self.area * 0.5**halvings)


def _stripes(problem: Problem) -> Tensor:
    """+-eps, one sign per column and channel of a picture; one per feature of a table."""
    shape = problem.ball.x.shape[1:]
    signs = problem.rng.signs(0, *([shape[0], 1, shape[2]] if len(shape) == 3 else shape))
    return problem.ball.project(problem.ball.space.eps * signs.expand_as(problem.ball.x))


def _square(problem: Problem, best: Tensor, share: float, t: int) -> Tensor:
    """``best`` with one square set to +-eps, one sign per channel (algorithm 2)."""
    region, signs = _region(problem, share, t)
    delta = _paint(problem, best, region, signs)
    idle = (delta == best).flatten(1).all(1).nonzero().squeeze(1)
    if len(idle):  # a query that changes nothing is wasted: turn its signs round
        turned = _paint(problem.select(idle), best[idle], region[idle], -signs[idle])
        delta = delta.index_copy(0, idle, turned)
    return delta


def _paint(problem: Problem, best: Tensor, region: Tensor, signs: Tensor) -> Tensor:
    """``best`` with +-eps inside the region, as far as the input stays valid."""
    ball, eps = problem.ball, problem.ball.space.eps
    ends = torch.where(signs > 0, ball.high.clamp_max(eps), ball.low.clamp_min(-eps))
    return torch.where(region, ends, best)


def _region(problem: Problem, share: float, t: int) -> tuple[Tensor, Tensor]:
    """Where each sample's candidate changes, (n, *shape) bool, and its signs, broadcastable to it."""
    rng, shape = problem.rng, problem.ball.x.shape[1:]
    if len(shape) != 3:
        free = (problem.ball.high > problem.ball.low).flatten(1)
        order = torch.where(free, rng.uniform(t, free.shape[1]), 2.0).argsort(1).argsort(1)
        count = (share * free.sum(1, keepdim=True)).round().clamp_min(1)
        return (order < count).reshape(problem.ball.x.shape), rng.signs(t, *shape, stream=1)
    channels, height, width = shape
    side = min(max(round((share * height * width) ** 0.5), 1), height, width)
    corner = rng.uniform(t, 2)
    top = (corner[:, :1] * (height - side + 1)).floor()
    left = (corner[:, 1:] * (width - side + 1)).floor()
    row = torch.arange(height, device=top.device)
    column = torch.arange(width, device=top.device)
    tall = (row >= top) & (row < top + side)
    wide = (column >= left) & (column < left + side)
    region = (tall[:, :, None] & wide[:, None, :])[:, None].expand(-1, channels, -1, -1)
    return region, rng.signs(t, channels, 1, 1, stream=1)
