"""HopSkipJump: boundary steps along a gradient estimated from labels."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from gambeson.attacks.base import EvasionFacts, Problem, State, evasion, rows
from gambeson.attacks.decisions import Decisions
from gambeson.attacks.randomness import SampleRandom
from gambeson.core.threat import Access, Norm
from gambeson.models.oracle import Oracle

_FLOATS_AT_ONCE = 1 << 15
"""Of one sample's probes in one call; does not depend on the other samples, so that draws don't either."""
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
    """

    queries: int = 5_000
    probes: int = 100
    radius: float = 0.01
    tolerance: float = 1e-3
    start_tries: int = 50

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
        """Mean of the probes that are misclassified minus that of the others: section III-C of the paper."""
        problem, size = ask.problem, delta[0].numel()
        planned = int(self.probes * t**0.5)
        count = (ask.oracle.left.to(of.device)[of] - _RESERVE).clamp(1, planned)
        length = rows(self.radius * problem.ball.space.measure(delta), delta)
        ball = problem.ball.select(of)
        block = max(_FLOATS_AT_ONCE // size, 1)
        total, push = torch.zeros_like(delta), torch.zeros_like(delta)
        votes = torch.zeros(len(of), device=delta.device)
        for first in range(0, int(count.max()), block):
            number = min(block, int(count.max()) - first)
            rng = problem.rng.select(of)
            probe = self._directions(problem, rng, t, first, number, delta.shape[1:])
            probe = (ball.inside(delta[:, None] + length[:, None] * probe) - delta[:, None]) / length[
                :, None
            ].clamp_min(1e-12)
            live = first + torch.arange(number, device=of.device) < count[:, None]
            wrong = torch.zeros(len(of), number, device=delta.device)
            who = of[:, None].expand(-1, number)[live]
            wrong[live] = ask.wrong((delta[:, None] + length[:, None] * probe)[live], who) * 2.0 - 1.0
            total = total + _weighted(wrong, probe)
            push = push + _weighted(live.float(), probe)
            votes = votes + wrong.sum(1)
        mean = votes / count
        one_sided = mean.abs() >= 1
        baseline = torch.where(one_sided, 0.0, mean)  # the paper's variance reduction, eq. 16
        return total - rows(baseline, push) * push

    def _directions(
        self, problem: Problem, rng: SampleRandom, t: int, first: int, number: int, shape: torch.Size
    ) -> Tensor:
        """(n, number, *shape) unit directions: normal for l2, uniform for linf."""
        draw = (
            rng.normal(t * 100_003 + first, number, *shape)
            if problem.ball.space.norm is Norm.L2
            else 2 * rng.uniform(t * 100_003 + first, number, *shape) - 1
        )
        draw = torch.where(problem.ball.space.frozen, 0.0, draw)
        length = problem.ball.space.measure(draw.flatten(0, 1)).reshape(len(draw), number)
        return draw / length.clamp_min(1e-12).reshape(*length.shape, *[1] * len(shape))

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


def _weighted(weights: Tensor, probes: Tensor) -> Tensor:
    """Sum over the probes (n, k, *shape) by their weights (n, k), each row by itself."""
    return (weights.reshape(*weights.shape, *[1] * (probes.dim() - 2)) * probes).sum(1)
