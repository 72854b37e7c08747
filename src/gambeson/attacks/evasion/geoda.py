"""GeoDA: the nearest point of a flat boundary whose normal is estimated from labels, again and again."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from gambeson.attacks.base import EvasionFacts, Problem, State, evasion, rows, where
from gambeson.attacks.decisions import Decisions
from gambeson.attacks.probing import boundary_normal
from gambeson.attacks.spectrum import Spectrum
from gambeson.core.threat import Access, Norm
from gambeson.models.oracle import Oracle

_RESERVE = 20
"""Queries that probing leaves for the way to the boundary."""
_REACHES = (1.0, 1.25, 1.6, 2.5, 4.0)
"""Multiples of the distance so far at which the boundary is looked for along the normal."""


@dataclass(frozen=True, slots=True)
class GeoDAState(State):
    """Perturbation at the boundary and the sum of the normals so far (n, *shape); whether there is one (n,)."""

    delta: Tensor
    normal: Tensor
    found: Tensor


@evasion.register(
    "geoda",
    EvasionFacts(
        access=Access.LABELS,
        norms=(Norm.LINF, Norm.L2),
        source="Rahmati et al. 2020, arXiv:2003.06468, algorithms 1 and 2",
        queries_per_step=None,
        minimum_norm=True,
    ),
)
@dataclass(frozen=True, slots=True)
class GeoDA:
    """Estimate the boundary's normal where we stand on it, then go from the sample along the normal to the boundary.

    The estimates of all rounds add up, each with the weight of its probes. A round that ends further away than the
    one before only adds to them.

    Attributes:
        queries: Most queries per sample.
        probes: Probes of the first round.
        growth: Each round takes as many times the probes of the one before (lambda ** (-2/3), section 3.3, with
            the paper's lambda of 0.6).
        radius: Length of a probe, as a share of the distance to the sample.
        tolerance: Distance from the boundary at which a bisection ends, as a share of the distance to the sample.
        start_tries: Most queries spent on finding a misclassified start.
        frequencies: Share of a picture's frequencies on each axis that the probes of every other round draw from
            (section 5); 1 for the paper's own draw.
    """

    queries: int = 5_000
    probes: int = 60
    growth: float = 1.4
    radius: float = 0.01
    tolerance: float = 1e-3
    start_tries: int = 50
    frequencies: float = 0.25

    @property
    def length(self) -> int:
        """More rounds than the queries allow."""
        return max(self.queries // 10, 1)

    def init(self, oracle: Oracle, problem: Problem) -> GeoDAState:
        """Nothing is queried yet."""
        never = torch.zeros(len(problem.y), dtype=torch.bool, device=problem.y.device)
        zero = torch.zeros_like(problem.ball.x)
        return GeoDAState(zero, zero, never)

    def step(self, oracle: Oracle, problem: Problem, state: GeoDAState, t: int) -> GeoDAState:
        """Find a start, or: probe, and go along the normal."""
        ask = Decisions(oracle, problem)
        if t == 0:
            delta, found = ask.start(0, self.start_tries)
            of = found.nonzero().squeeze(1)
            delta[of] = ask.bisect(delta[of], of, self.tolerance)
            return GeoDAState(delta, state.normal, found)
        of = ask.affordable(state.found.nonzero().squeeze(1))
        if not len(of):
            return state
        delta = state.delta[of]
        normal = state.normal[of] + self._normal(ask, delta, of, t)
        delta = self._along(ask, normal, delta, of)
        return GeoDAState(
            state.delta.index_copy(0, of, delta), state.normal.index_copy(0, of, normal), state.found
        )

    def _normal(self, ask: Decisions, delta: Tensor, of: Tensor, t: int) -> Tensor:
        space, planned = ask.problem.ball.space, int(min(self.probes * self.growth ** (t - 1), 1e6))
        count = (ask.oracle.left.to(of.device)[of] - _RESERVE).clamp(1, planned)
        radius = self.radius * space.measure(delta)
        if space.norm is Norm.LINF:
            radius = radius * delta[0].numel() ** 0.5  # the same move of each feature on average
        spectrum = Spectrum.below(delta.shape[1:], self.frequencies, delta.device) if t % 2 else None
        return boundary_normal(ask, delta, of, count, radius, step=t, spectrum=spectrum)

    def _along(self, ask: Decisions, normal: Tensor, delta: Tensor, of: Tensor) -> Tensor:
        """The boundary along the normal from the samples ``of``, where it is nearer than ``delta``."""
        space, ball = ask.problem.ball.space, ask.problem.ball.select(of)
        way = normal.sign() if space.norm is Norm.LINF else normal
        way = way / rows(space.measure(way).clamp_min(1e-12), way)
        distance = space.measure(delta)
        far, hit = delta.clone(), torch.zeros_like(distance, dtype=torch.bool)
        for reach in _REACHES:
            left = ask.oracle.left.to(of.device)[of] > 0
            live = (~hit & left).nonzero().squeeze(1)
            if not len(live):
                break
            tried = ball.select(live).inside(rows(reach * distance[live], way) * way[live])
            good = live[ask.wrong(tried, of[live])]
            far = far.index_copy(0, live, torch.where(rows(hit[live], far), far[live], tried))
            hit[good] = True
        reached = hit.nonzero().squeeze(1)
        far[reached] = ask.bisect(far[reached], of[reached], self.tolerance)
        return where(hit & (space.measure(far) < distance), far, delta)
