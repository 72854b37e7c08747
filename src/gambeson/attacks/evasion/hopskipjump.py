"""HopSkipJump: boundary steps along a gradient estimated from labels."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from gambeson.attacks.base import EvasionFacts, Problem, State, evasion, rows
from gambeson.attacks.decisions import Decisions
from gambeson.attacks.probing import boundary_normal
from gambeson.attacks.spectrum import Spectrum
from gambeson.core.threat import Access, Norm
from gambeson.models.oracle import Oracle

_RESERVE = 12
"""Queries that probing leaves for the jump and the bisection."""
_HALVINGS = 10
"""Most times that a step's length is halved before it is given up."""


@dataclass(frozen=True, slots=True)
class HopSkipJumpState(State):
    """Perturbation on the wrong side of the boundary (n, *shape), and whether there is one (n,)."""

    delta: Tensor
    found: Tensor


@evasion.register(
    "hopskipjump",
    EvasionFacts(
        access=Access.LABELS,
        norms=(Norm.LINF, Norm.L2),
        source="Chen et al. 2020, arXiv:1904.02144, algorithm 2",
        queries_per_step=None,
        minimum_norm=True,
    ),
)
@dataclass(frozen=True, slots=True)
class HopSkipJump:
    """From the boundary, estimate its normal by random probes, jump along it, and bisect back.

    Attributes:
        queries: Most queries per sample.
        probes: Probes of the first estimate; the t-th takes sqrt(t) times as many.
        radius: Length of a probe, as a share of the distance to the sample.
        tolerance: Distance from the boundary at which a bisection ends, as a share of the distance to the sample.
        start_tries: Most queries spent on finding a misclassified start.
        frequencies: Share of a picture's frequencies on each axis that the probes of every other round draw from
            (Li et al. 2020, arXiv:2005.14137: an estimate in few dimensions needs few probes); 1 for the paper's
            own draw.
    """

    queries: int = 5_000
    probes: int = 50
    radius: float = 0.01
    tolerance: float = 1e-3
    start_tries: int = 50
    frequencies: float = 0.25

    @property
    def length(self) -> int:
        """More steps than the queries allow."""
        return max(self.queries // 10, 1)

    def init(self, oracle: Oracle, problem: Problem) -> HopSkipJumpState:
        """Nothing is queried yet."""
        never = torch.zeros(len(problem.y), dtype=torch.bool, device=problem.y.device)
        return HopSkipJumpState(torch.zeros_like(problem.ball.x), never)

    def step(self, oracle: Oracle, problem: Problem, state: HopSkipJumpState, t: int) -> HopSkipJumpState:
        """Find a start, or: probe, jump, bisect."""
        ask = Decisions(oracle, problem)
        if t == 0:
            delta, found = ask.start(0, self.start_tries)
            return self._to_boundary(ask, delta, found)
        of = ask.affordable(state.found.nonzero().squeeze(1))
        if not len(of):
            return state
        delta = state.delta.clone()
        normal = self._normal(ask, delta[of], of, t)
        delta[of] = self._jump(ask, delta[of], normal, of, t)
        return self._to_boundary(ask, delta, state.found)

    def _to_boundary(self, ask: Decisions, delta: Tensor, found: Tensor) -> HopSkipJumpState:
        of = found.nonzero().squeeze(1)
        delta = delta.clone()
        delta[of] = ask.bisect(delta[of], of, self.tolerance)
        return HopSkipJumpState(delta, found)

    def _normal(self, ask: Decisions, delta: Tensor, of: Tensor, t: int) -> Tensor:
        """Of the boundary at ``delta``, from as many probes as are planned and left."""
        space, planned = ask.problem.ball.space, int(self.probes * t**0.5)
        count = (ask.oracle.left.to(of.device)[of] - _RESERVE).clamp(1, planned)
        radius = self.radius * space.measure(delta)
        if space.norm is Norm.LINF:
            radius = radius * delta[0].numel() ** 0.5  # the same move of each feature on average
        spectrum = Spectrum.below(delta.shape[1:], self.frequencies, delta.device) if t % 2 else None
        return boundary_normal(ask, delta, of, count, radius, step=t, spectrum=spectrum)

    def _jump(self, ask: Decisions, delta: Tensor, normal: Tensor, of: Tensor, t: int) -> Tensor:
        """Along the normal as far as the class stays wrong, the first try at distance / sqrt(t)."""
        space, ball = ask.problem.ball.space, ask.problem.ball.select(of)
        way = normal.sign() if space.norm is Norm.LINF else normal
        way = way / rows(space.measure(way).clamp_min(1e-12), way)
        length = space.measure(delta) / t**0.5
        landed = delta.clone()
        flying = torch.arange(len(of), device=of.device)
        for _ in range(_HALVINGS):
            flying = flying[(ask.oracle.left.to(of.device)[of[flying]] > 0)]
            if not len(flying):
                break
            reached = ball.select(flying).inside(delta[flying] + rows(length[flying], way) * way[flying])
            good = ask.wrong(reached, of[flying])
            landed[flying[good]] = reached[good]
            flying = flying[~good]
            length = length / 2
        return landed
