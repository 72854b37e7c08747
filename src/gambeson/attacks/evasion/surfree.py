"""SurFree: turn towards the sample in random planes, by labels only, without an estimate of any gradient."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from gambeson.attacks.base import EvasionFacts, Problem, State, evasion, rows
from gambeson.attacks.decisions import Decisions
from gambeson.attacks.noise import normal
from gambeson.attacks.spectrum import Spectrum
from gambeson.core.threat import Access, Norm
from gambeson.models.oracle import Oracle


@dataclass(frozen=True, slots=True)
class SurFreeState(State):
    """Where every sample stands.

    Misclassified perturbation (n, *shape), whether there is one (n,), the last directions (n, memory, size), the
    widest angle to try (n,) in radians.
    """

    delta: Tensor
    found: Tensor
    past: Tensor
    widest: Tensor


@evasion.register(
    "surfree",
    EvasionFacts(
        access=Access.LABELS,
        norms=(Norm.L2,),
        source="Maho et al. 2021, arXiv:2011.12807, algorithm 1",
        queries_per_step=None,
        minimum_norm=True,
    ),
)
@dataclass(frozen=True, slots=True)
class SurFree:
    """On the circle through the sample and the point so far, turn as far as the class stays wrong.

    Each step takes a random direction at right angles to the last ones, tries both ways round, and bisects the
    angle where one way holds.

    Attributes:
        queries: Most queries per sample.
        angle: First widest angle, in degrees; grows by 1/shrink after a hit, and is cut by shrink after a miss.
        shrink: Factor of the widest angle after a direction that leads nowhere.
        bisections: Queries that look for the best angle after a hit.
        memory: Last directions to which the next one is at right angles.
        start_tries: Most queries spent on finding a misclassified start.
        frequencies: Share of a picture's frequencies on each axis that directions draw from (section 5.2); 1 for all.
    """

    queries: int = 5_000
    angle: float = 30.0
    shrink: float = 0.9
    bisections: int = 3
    memory: int = 50
    start_tries: int = 50
    frequencies: float = 0.25

    @property
    def length(self) -> int:
        """One step a query at most."""
        return self.queries

    def init(self, oracle: Oracle, problem: Problem) -> SurFreeState:
        """Nothing is queried yet."""
        x = problem.ball.x
        spectrum = Spectrum.below(x.shape[1:], self.frequencies, x.device)
        size = x[0].numel() if spectrum is None else spectrum.size
        number = torch.zeros(len(x), device=x.device)
        past = torch.zeros(len(x), min(self.memory, max(size - 2, 1)), size, device=x.device)
        return SurFreeState(torch.zeros_like(x), number > 0, past, number + math.radians(self.angle))

    def step(self, oracle: Oracle, problem: Problem, state: SurFreeState, t: int) -> SurFreeState:
        """Find a start, or try one direction."""
        ask = Decisions(oracle, problem)
        if t == 0:
            delta, found = ask.start(0, self.start_tries)
            of = found.nonzero().squeeze(1)
            delta[of] = ask.bisect(delta[of], of, 0.01)
            return replace(state, delta=delta, found=found)
        of = ask.affordable(state.found.nonzero().squeeze(1))
        if not len(of):
            return state
        if len(of) == len(state.delta):  # the usual case, without copies
            return self._turn(ask, state, of, t)
        new = self._turn(ask, state.select(of), of, t)
        merged = {name: v.index_copy(0, of, new.tensors()[name]) for name, v in state.tensors().items()}
        return SurFreeState(**merged)

    def _turn(self, ask: Decisions, state: SurFreeState, of: Tensor, t: int) -> SurFreeState:
        draw, past = self._direction(ask.problem, state.past, of, t)
        plane = _Plane.of(state.delta, draw)
        sign = torch.zeros(len(of), device=of.device)
        for way in (1.0, -1.0):
            live = self._live(ask, sign == 0, of)
            tried = plane.select(live).at(way * state.widest[live])
            sign[live[self._wrong(ask, tried, of[live])]] = way
        angle = self._widen(ask, plane, sign, state.widest, of)
        turned = ask.balls(of).inside(plane.at(sign * angle))
        hit = sign != 0
        widest = state.widest * torch.where(hit, 1 / self.shrink, self.shrink)
        delta = torch.where(rows(hit, turned), turned, state.delta)
        return SurFreeState(delta, state.found, past, widest.clamp_max(math.pi / 3))

    def _widen(self, ask: Decisions, plane: _Plane, sign: Tensor, angle: Tensor, of: Tensor) -> Tensor:
        """The widest misclassified angle up to twice the one that holds, where one does."""
        low, high = angle.clone(), (2 * angle).clamp_max(math.pi / 2)
        for _ in range(self.bisections):
            live = self._live(ask, sign != 0, of)
            if not len(live):
                break
            middle = (low[live] + high[live]) / 2
            wrong = self._wrong(ask, plane.select(live).at(sign[live] * middle), of[live])
            low[live] = torch.where(wrong, middle, low[live])
            high[live] = torch.where(wrong, high[live], middle)
        return low

    def _live(self, ask: Decisions, wanted: Tensor, of: Tensor) -> Tensor:
        return (wanted & (ask.oracle.left.to(of.device)[of] > 0)).nonzero().squeeze(1)

    def _wrong(self, ask: Decisions, delta: Tensor, of: Tensor) -> Tensor:
        return ask.wrong(ask.balls(of).inside(delta), of)

    def _direction(self, problem: Problem, past: Tensor, of: Tensor, t: int) -> tuple[Tensor, Tensor]:
        """A direction (n, *shape) at right angles to the last ones, and those with it in place of the oldest."""
        shape = problem.ball.x.shape[1:]
        spectrum = Spectrum.below(shape, self.frequencies, of.device)
        draw = normal(problem.rng.select(of), t, past.shape[2])
        for _ in range(2):  # twice, because once leaves the rounding
            draw = draw - ((past * draw[:, None]).sum(2, keepdim=True) * past).sum(1)
        draw = draw / draw.norm(dim=1, keepdim=True).clamp_min(1e-12)
        past = past.clone()
        past[:, t % past.shape[1]] = draw
        picture = draw.reshape(-1, *shape) if spectrum is None else spectrum.to_picture(draw)
        return torch.where(problem.ball.space.frozen, 0.0, picture), past


@dataclass(frozen=True, slots=True)
class _Plane:
    """Planes through the samples: ``delta`` (n, *shape), and ``side`` of the same length at right angles to it."""

    delta: Tensor
    side: Tensor

    @classmethod
    def of(cls, delta: Tensor, draw: Tensor) -> _Plane:
        flat, to = draw.flatten(1), delta.flatten(1)
        square = to.square().sum(1, keepdim=True).clamp_min(1e-24)
        side = flat - (flat * to).sum(1, keepdim=True) / square * to
        side = side * (square.sqrt() / side.norm(dim=1, keepdim=True).clamp_min(1e-12))
        return cls(delta, side.reshape(delta.shape))

    def at(self, angle: Tensor) -> Tensor:
        """The point of the circle through sample and ``delta`` seen at (n,) ``angle`` from delta, in radians."""
        cos, sin = angle.cos(), angle.sin()
        return rows(cos.square(), self.delta) * self.delta + rows(cos * sin, self.side) * self.side

    def select(self, keep: Tensor) -> _Plane:
        """The planes ``keep`` (indices)."""
        return _Plane(self.delta[keep], self.side[keep])
