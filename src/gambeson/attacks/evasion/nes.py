"""NES: projected ascent along a gradient estimated from scores at random points."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from gambeson.attacks.base import EvasionFacts, Problem, State, evasion
from gambeson.attacks.losses import margin
from gambeson.core.threat import Access, Norm
from gambeson.models.oracle import Oracle


@dataclass(frozen=True, slots=True)
class NESState(State):
    """Perturbation and averaged gradient estimate (n, *shape)."""

    delta: Tensor
    grad: Tensor


@evasion.register(
    "nes",
    EvasionFacts(
        access=Access.SCORES,
        norms=(Norm.LINF, Norm.L2, Norm.L1),
        source="Ilyas et al. 2018, arXiv:1804.08598, algorithm 1",
        queries_per_step=None,
    ),
)
@dataclass(frozen=True, slots=True)
class NES:
    """Estimate the gradient of the margin by antithetic Gaussian probes and ascend it with momentum.

    Attributes:
        queries: Most queries per sample.
        probes: Probes per estimate, in pairs; one query each.
        radius: Standard deviation of the probes, as a share of each feature's width.
        step_size: Length of a step, as a share of eps.
        momentum: Weight of the past estimates.
    """

    queries: int = 5_000
    probes: int = 50
    radius: float = 0.001
    step_size: float = 0.1
    momentum: float = 0.9

    @property
    def length(self) -> int:
        """Estimates that the queries allow."""
        return max(self.queries // (self.probes + 1), 1)

    def init(self, oracle: Oracle, problem: Problem) -> NESState:
        """Start at the sample."""
        return NESState(torch.zeros_like(problem.ball.x), torch.zeros_like(problem.ball.x))

    def step(self, oracle: Oracle, problem: Problem, state: NESState, t: int) -> NESState:
        """Probe, average, step, look."""
        ball, n, shape = problem.ball, len(problem.y), problem.ball.x.shape[1:]
        pairs = int(min(self.probes, int(oracle.left.min()) - 1)) // 2
        if pairs < 1:
            oracle.scores(ball.apply(state.delta))
            return state
        width = self.radius * (ball.high - ball.low)[:, None]
        draw = problem.rng.normal(t, pairs, *shape) * width
        # A probe that leaves the ball or the box would be a stray: it is cut, and its pair with it.
        probe = torch.cat([state.delta[:, None] + draw, state.delta[:, None] - draw], 1)
        of = torch.arange(n, device=ball.x.device).repeat_interleave(2 * pairs)
        probe = ball.select(of).project(probe.flatten(0, 1))
        loss = margin(oracle.scores(ball.select(of).apply(probe), of), problem.y[of])
        loss = loss.reshape(n, 2, pairs)
        estimate = torch.einsum("ns,ns...->n...", loss[:, 0] - loss[:, 1], draw)
        size = ball.space.measure(estimate).clamp_min(1e-30).reshape(-1, *[1] * len(shape))
        grad = self.momentum * state.grad + (1 - self.momentum) * estimate / size
        way = ball.ascent(state.delta, grad / ball.space.scale)
        delta = ball.project(state.delta + self.step_size * ball.space.eps * way)
        oracle.scores(ball.apply(delta))
        return NESState(delta, grad)
