"""The Boundary Attack: a random walk along the decision boundary, by labels only."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from gambeson.attacks.base import EvasionFacts, Problem, State, evasion, rows, where
from gambeson.attacks.decisions import Decisions
from gambeson.attacks.noise import normal
from gambeson.attacks.spectrum import Spectrum
from gambeson.core.threat import Access, Norm
from gambeson.models.oracle import Oracle

_FORGET = 0.95
"""Weight of the past in the success rates by which the steps adapt."""
_EVERY = 10
"""Steps between two looks at the sideways step alone."""
_PLAIN = 4
"""Each such step draws from all frequencies, so that the walk does not end at the nearest low-frequency point."""


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
        frequencies: Share of a picture's frequencies on each axis that sideways steps draw from (Brunner et al.
            2019, arXiv:1812.09803: low ones find the way several times sooner); 1 for the paper's own draw.
    """

    queries: int = 5_000
    sideways: float = 0.1
    inward: float = 0.05
    start_tries: int = 50
    frequencies: float = 0.25

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
        if len(of) == len(state.delta):  # the usual case, without copies
            return self._try(ask, state, of, t)
        return _put(state, of, self._try(ask, state.select(of), of, t))

    def _try(self, ask: Decisions, state: BoundaryState, of: Tensor, t: int) -> BoundaryState:
        delta, ball = state.delta, ask.balls(of)
        aside = _Aside.of(ask.problem, delta, self._draw(ask.problem, of, t))
        sideways, rate = state.sideways, state.sideways_rate
        if t % _EVERY == 0:
            kept = ask.wrong(ball.inside(aside.at(state.sideways, state.inward * 0)), of).float()
            rate = 0.7 * rate + 0.3 * kept
            sideways = sideways * torch.where(rate > 0.5, 1.5, torch.where(rate < 0.2, 1 / 1.5, 1.0))
        candidate = ball.inside(aside.at(state.sideways, state.inward))
        live = (ask.oracle.left.to(of.device)[of] > 0).nonzero().squeeze(1)
        better = torch.zeros(len(of), dtype=torch.bool, device=of.device)
        better[live] = ask.wrong(candidate[live], of[live])
        better &= candidate.flatten(1).norm(dim=1) < aside.distance
        inward_rate = _FORGET * state.inward_rate + (1 - _FORGET) * better
        change = torch.where(inward_rate > 0.25, 1.02, torch.where(inward_rate < 0.1, 0.98, 1.0))
        return BoundaryState(
            where(better, candidate, delta), state.found, sideways, state.inward * change, rate, inward_rate
        )

    def _draw(self, problem: Problem, of: Tensor, t: int) -> Tensor:
        rng, shape = problem.rng.select(of), problem.ball.x.shape[1:]
        spectrum = Spectrum.below(shape, self.frequencies, of.device)
        if spectrum is None or t % _PLAIN == 0:
            return normal(rng, t, *shape)
        return spectrum.to_picture(normal(rng, t, spectrum.size))


@dataclass(frozen=True, slots=True)
class _Aside:
    """A random direction at right angles to each perturbation, as two multiples that make it.

    The direction is ``draw - part * delta``, of length ``reach``; ``distance`` is delta's own.
    """

    delta: Tensor
    draw: Tensor
    part: Tensor
    reach: Tensor
    distance: Tensor

    @classmethod
    def of(cls, problem: Problem, delta: Tensor, draw: Tensor) -> _Aside:
        if bool(problem.ball.space.frozen.any()):
            draw = torch.where(problem.ball.space.frozen, 0.0, draw)
        square = delta.flatten(1).square().sum(1).clamp_min(1e-24)
        part = (draw * delta).flatten(1).sum(1) / square
        reach = (draw.flatten(1).square().sum(1) - part.square() * square).clamp_min(1e-24).sqrt()
        return cls(delta, draw, part, reach, square.sqrt())

    def at(self, sideways: Tensor, inward: Tensor) -> Tensor:
        """A step aside on the sphere around the sample, then inward; both (n,) as shares of the distance."""
        length = (1 - inward) / (1 + sideways.square()).sqrt()
        along = length * sideways * self.distance / self.reach
        moved = rows(along, self.draw) * self.draw
        return moved.addcmul_(rows(length - along * self.part, self.delta), self.delta)


def _put(state: BoundaryState, of: Tensor, new: BoundaryState) -> BoundaryState:
    """The state with the rows ``of`` replaced."""
    merged = {name: value.index_copy(0, of, new.tensors()[name]) for name, value in state.tensors().items()}
    return BoundaryState(**merged)
