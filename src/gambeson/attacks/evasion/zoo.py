"""ZOO: coordinate-wise Adam on a gradient measured by finite differences of scores."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from gambeson.attacks.base import EvasionFacts, Problem, State, evasion
from gambeson.attacks.losses import margin
from gambeson.core.threat import Access, Norm
from gambeson.models.oracle import Oracle

_BETA_1, _BETA_2, _TINY = 0.9, 0.999, 1e-8


@dataclass(frozen=True, slots=True)
class ZOOState(State):
    """Perturbation, Adam's moments and step counts (n, *shape); balance (n,)."""

    delta: Tensor
    mean: Tensor
    square: Tensor
    count: Tensor
    balance: Tensor


@evasion.register(
    "zoo",
    EvasionFacts(
        access=Access.SCORES,
        norms=(Norm.L2,),
        source="Chen et al. 2017, arXiv:1708.03999, algorithm 2 (ZOO-ADAM)",
        queries_per_step=None,
        minimum_norm=True,
    ),
)
@dataclass(frozen=True, slots=True)
class ZOO:
    """Minimise ||delta||^2 + c * max(0, true log-probability - best other), a few coordinates at a time.

    Attributes:
        queries: Most queries per sample.
        coordinates: Coordinates measured per step, two queries each.
        learning_rate: Adam's, as a share of each feature's width; falls to a twentieth by a cosine.
        radius: Half the distance of the two points of a difference, as a share of each feature's width.
        balance: First c; grows by 5% a step without a hit, falls by 2% a step with one.
    """

    queries: int = 5_000
    coordinates: int = 64
    learning_rate: float = 0.02
    radius: float = 1e-3
    balance: float = 0.01

    @property
    def length(self) -> int:
        """More steps than the queries allow."""
        return max(self.queries // 3, 1)

    def init(self, oracle: Oracle, problem: Problem) -> ZOOState:
        """Start at the sample."""
        zero = torch.zeros_like(problem.ball.x)
        return ZOOState(zero, zero, zero, zero, torch.full((len(zero),), self.balance, device=zero.device))

    def step(self, oracle: Oracle, problem: Problem, state: ZOOState, t: int) -> ZOOState:
        """Measure some coordinates, move them, look."""
        ball = problem.ball
        flat = {name: value.flatten(1).clone() for name, value in state.tensors().items() if value.dim() > 1}
        free = ((ball.high > ball.low) & ~ball.space.frozen).flatten(1)
        most = min(self.coordinates, free.shape[1], (int(oracle.left.min()) - 1) // 2)
        if most < 1:
            oracle.scores(ball.apply(state.delta))
            return state
        order = torch.where(free, problem.rng.uniform(t, free.shape[1]), 2.0).argsort(dim=1, stable=True)
        chosen = order[:, :most]
        width = (ball.high - ball.low).flatten(1).gather(1, chosen)
        slope, lead = self._slope(oracle, problem, flat["delta"], chosen, width)
        hit = lead > 0
        pull = torch.where(hit[:, None], 0.0, state.balance[:, None] * slope)
        grad = 2 * flat["delta"].gather(1, chosen) - pull
        count = flat["count"].gather(1, chosen) + 1
        mean = _BETA_1 * flat["mean"].gather(1, chosen) + (1 - _BETA_1) * grad
        square = _BETA_2 * flat["square"].gather(1, chosen) + (1 - _BETA_2) * grad.square()
        way = (mean / (1 - _BETA_1**count)) / ((square / (1 - _BETA_2**count)).sqrt() + _TINY)
        moved = flat["delta"].gather(1, chosen) - self._rate(oracle).to(width)[:, None] * width * way
        new = {"delta": moved, "mean": mean, "square": square, "count": count}
        new = {name: flat[name].scatter(1, chosen, value) for name, value in new.items()}
        delta = ball.inside(new["delta"].reshape(ball.x.shape))
        oracle.scores(ball.apply(delta))
        mean, square, count = (new[name].reshape(ball.x.shape) for name in ("mean", "square", "count"))
        return ZOOState(delta, mean, square, count, state.balance * torch.where(hit, 0.98, 1.05))

    def _rate(self, oracle: Oracle) -> Tensor:
        """Learning rate of each sample (n,) after the queries it has spent."""
        spent = oracle.queries / self.queries
        return self.learning_rate * (0.05 + 0.95 * (1 + (math.pi * spent).cos()) / 2)

    def _slope(
        self, oracle: Oracle, problem: Problem, delta: Tensor, chosen: Tensor, width: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Slope of the margin along the chosen coordinates (n, k), and the mean margin seen (n,)."""
        ball, (n, k) = problem.ball, chosen.shape
        of = torch.arange(n, device=delta.device).repeat_interleave(2 * k)
        reach = self.radius * width
        moves = torch.stack([reach, -reach], 2).flatten(1).reshape(-1, 1)
        points = delta[of].scatter_add(1, chosen.repeat_interleave(2, 1).reshape(-1, 1), moves)
        balls = ball.select(of)
        points = balls.inside(points.reshape(len(of), *ball.x.shape[1:]))
        column = chosen.repeat_interleave(2, 1).reshape(-1, 1)
        apart = points.flatten(1).gather(1, column).reshape(n, k, 2)
        loss = margin(oracle.scores(balls.apply(points), of), problem.y[of]).reshape(n, k, 2)
        gap = (apart[..., 0] - apart[..., 1]).clamp_min(1e-12)
        return (loss[..., 0] - loss[..., 1]) / gap, loss.flatten(1).mean(1)
