"""The Boundary Attack: a random walk along the decision boundary, by labels only."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from gambeson.attacks.base import EvasionFacts, Problem, State, evasion, rows, where
from gambeson.attacks.decisions import Decisions
from gambeson.core.threat import Access, Norm
from gambeson.models.oracle import Oracle

_FORGET = 0.95
"""Weight of the past in the success rates by which the steps adapt."""
_EVERY = 10
"""Steps between two looks at the sideways step alone."""


@dataclass(frozen=True, slots=True)
class BoundaryState(State):
    """Misclassified perturbation (n, *shape); whether there is one, step sizes and success rates (n,)."""

    delta: Tensor
    found: Tensor
    sideways: Tensor
    inward: Tensor
    sideways_rate: Tensor
    inward_rate: Tensor


@evasion.register(
    "boundary",
    EvasionFacts(
        access=Access.LABELS,
        norms=(Norm.L2,),
        source="Brendel et al. 2018, arXiv:1712.04248, algorithm 1",
        queries_per_step=None,
        minimum_norm=True,
    ),
)
@dataclass(frozen=True, slots=True)
class Boundary:
    """Step sideways on the sphere around the sample, then inward; keep it where the class stays wrong.

    Attributes:
        queries: Most queries per sample.
        sideways, inward: First step sizes, as shares of the distance to the sample.
        start_tries: Most queries spent on finding a misclassified start.
    """

    queries: int = 5_000
    sideways: float = 0.01
    inward: float = 0.01
    start_tries: int = 50

    @property
    def length(self) -> int:
        """One step a query at most."""
        return self.queries

    def init(self, oracle: Oracle, problem: Problem) -> BoundaryState:
        """Nothing is queried yet."""
        number = torch.zeros(len(problem.y), device=problem.y.device)
        return BoundaryState(
            delta=torch.zeros_like(problem.ball.x),
            found=number > 0,
            sideways=number + self.sideways,
            inward=number + self.inward,
            sideways_rate=number + 0.35,
            inward_rate=number + 0.18,
        )

    def step(self, oracle: Oracle, problem: Problem, state: BoundaryState, t: int) -> BoundaryState:
        """Find a start, or try one candidate."""
        ask = Decisions(oracle, problem)
        if t == 0:
            delta, found = ask.start(0, self.start_tries)
            of = found.nonzero().squeeze(1)
            delta[of] = ask.bisect(delta[of], of, 0.01)
            return BoundaryState(
                delta, found, state.sideways, state.inward, state.sideways_rate, state.inward_rate
            )
        of = ask.affordable(state.found.nonzero().squeeze(1))
        if not len(of):
            return state
        return _put(state, of, self._try(ask, state.select(of), of, t))

    def _try(self, ask: Decisions, state: BoundaryState, of: Tensor, t: int) -> BoundaryState:
        ball, delta = ask.problem.ball.select(of), state.delta
        distance = rows(delta.flatten(1).norm(dim=1).clamp_min(1e-12), delta)
        draw = ask.problem.rng.select(of).normal(t, *delta.shape[1:])
        draw = torch.where(ball.space.frozen, 0.0, draw)
        out = delta / distance
        draw = draw - rows((draw * out).flatten(1).sum(1), draw) * out
        draw = draw / rows(draw.flatten(1).norm(dim=1).clamp_min(1e-12), draw)
        aside = delta + distance * rows(state.sideways, delta) * draw
        aside = aside * distance / rows(aside.flatten(1).norm(dim=1).clamp_min(1e-12), aside)
        sideways, rate = state.sideways, state.sideways_rate
        inward, inward_rate = state.inward, state.inward_rate
        if t % _EVERY == 0:
            kept = ask.wrong(ball.inside(aside), of).float()
            rate = 0.7 * rate + 0.3 * kept
            change = torch.where(rate > 0.5, 1.5, torch.where(rate < 0.2, 1 / 1.5, 1.0))
            sideways, inward = sideways * change, inward * change
            live = ask.oracle.left.to(of.device)[of] > 0
        else:
            live = torch.ones(len(of), dtype=torch.bool, device=of.device)
        candidate = ball.inside(aside * rows(1 - state.inward, aside))
        better = torch.zeros_like(live)
        better[live] = ask.wrong(candidate[live], of[live])
        better &= candidate.flatten(1).norm(dim=1) < distance.flatten()
        inward_rate = _FORGET * inward_rate + (1 - _FORGET) * better
        change = torch.where(inward_rate > 0.25, 1.02, torch.where(inward_rate < 0.1, 0.98, 1.0))
        return BoundaryState(
            where(better, candidate, delta), state.found, sideways, inward * change, rate, inward_rate
        )


def _put(state: BoundaryState, of: Tensor, new: BoundaryState) -> BoundaryState:
    """The state with the rows ``of`` replaced."""
    merged = {name: value.index_copy(0, of, new.tensors()[name]) for name, value in state.tensors().items()}
    return BoundaryState(**merged)
