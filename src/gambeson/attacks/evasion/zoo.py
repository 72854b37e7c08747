"""ZOO: coordinate-wise Adam on a gradient measured by finite differences of scores."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from gambeson.attacks.base import EvasionFacts, Problem, State, evasion
from gambeson.attacks.losses import margin
from gambeson.attacks.spectrum import Spectrum
from gambeson.core.threat import Access, Norm
from gambeson.models.oracle import Oracle

_FLOATS_AT_ONCE = 1 << 19
"""Of all points in one call."""
_BETA_1, _BETA_2, _TINY = 0.9, 0.99, 1e-8


@dataclass(frozen=True, slots=True)
class ZOOState(State):
    """Coordinates, Adam's moments and step counts (n, coordinates); balance (n,)."""

    place: Tensor
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

    A coordinate is a low frequency of a picture (in place of the paper's smaller picture, section 3.4), or one
    feature of a table.

    Attributes:
        queries: Most queries per sample.
        coordinates: Coordinates measured per step, two queries each.
        learning_rate: Adam's, as a share of each feature's width; falls to a twentieth by a cosine.
        radius: Half the distance of the two points of a difference, as a share of each feature's width.
        balance: First c; grows by 5% a step without a hit, falls by a tenth a step with one.
        frequencies: Share of a picture's frequencies on each axis that are coordinates; 1 for single pixels.
    """

    queries: int = 5_000
    coordinates: int = 32
    learning_rate: float = 0.2
    radius: float = 1e-3
    balance: float = 20.0
    frequencies: float = 0.125

    @property
    def length(self) -> int:
        """More steps than the queries allow."""
        return max(self.queries // 3, 1)

    def init(self, oracle: Oracle, problem: Problem) -> ZOOState:
        """Start at the sample."""
        x = problem.ball.x
        spectrum = Spectrum.below(x.shape[1:], self.frequencies, x.device)
        zero = torch.zeros(len(x), x[0].numel() if spectrum is None else spectrum.size, device=x.device)
        return ZOOState(zero, zero, zero, zero, torch.full((len(x),), self.balance, device=x.device))

    def step(self, oracle: Oracle, problem: Problem, state: ZOOState, t: int) -> ZOOState:
        """Measure some coordinates, move them, look."""
        ball = problem.ball
        axes = _Axes(problem, Spectrum.below(ball.x.shape[1:], self.frequencies, ball.x.device))
        at = axes.delta(state.place)
        most = min(self.coordinates, state.place.shape[1], (int(oracle.left.min()) - 1) // 2)
        if most < 1:
            oracle.scores(ball.apply(at))
            return state
        chosen = axes.choose(t, most)
        width = axes.width(chosen)
        slope, lead = _slope(oracle, axes, at, chosen, self.radius * width)
        hit = lead > 0
        place, mean, square, count = (
            v.gather(1, chosen) for v in (state.place, state.mean, state.square, state.count)
        )
        grad = 2 * place - torch.where(hit[:, None], 0.0, state.balance[:, None] * slope)
        count = count + 1
        mean = _BETA_1 * mean + (1 - _BETA_1) * grad
        square = _BETA_2 * square + (1 - _BETA_2) * grad.square()
        way = (mean / (1 - _BETA_1**count)) / ((square / (1 - _BETA_2**count)).sqrt() + _TINY)
        place = place - self._rate(oracle).to(width)[:, None] * width * way
        moved = ZOOState(
            place=state.place.scatter(1, chosen, place),
            mean=state.mean.scatter(1, chosen, mean),
            square=state.square.scatter(1, chosen, square),
            count=state.count.scatter(1, chosen, count),
            balance=state.balance * torch.where(hit, 0.9, 1.05),
        )
        oracle.scores(ball.apply(axes.delta(moved.place)))
        return moved

    def _rate(self, oracle: Oracle) -> Tensor:
        """Learning rate of each sample (n,) after the queries it has spent."""
        spent = oracle.queries / self.queries
        return self.learning_rate * (0.05 + 0.95 * (1 + (math.pi * spent).cos()) / 2)


@dataclass(frozen=True, slots=True)
class _Axes:
    """What a coordinate moves: one feature, or one low frequency of a picture."""

    problem: Problem
    spectrum: Spectrum | None

    def delta(self, place: Tensor) -> Tensor:
        """(n, *shape) the valid perturbation at coordinates (n, k)."""
        ball = self.problem.ball
        if self.spectrum is None:
            return ball.inside(place.reshape(ball.x.shape))
        return ball.inside(self.spectrum.to_picture(place))

    def choose(self, t: int, most: int) -> Tensor:
        """(n, most) random coordinates that may move."""
        ball, rng = self.problem.ball, self.problem.rng
        if self.spectrum is not None:
            return rng.uniform(t, self.spectrum.size).argsort(dim=1, stable=True)[:, :most]
        free = ((ball.high > ball.low) & ~ball.space.frozen).flatten(1)
        order = torch.where(free, rng.uniform(t, free.shape[1]), 2.0).argsort(dim=1, stable=True)
        return order[:, :most]

    def width(self, chosen: Tensor) -> Tensor:
        """(n, k) size of a feature's range; of a wave, that of the widest feature's."""
        width = (self.problem.ball.high - self.problem.ball.low).flatten(1)
        if self.spectrum is None:
            return width.gather(1, chosen)
        return width.amax(1, keepdim=True).expand_as(chosen)

    def both_ways(self, at: Tensor, chosen: Tensor, reach: Tensor) -> Tensor:
        """(2 k, *shape) valid perturbations: one of ``at`` (*shape) moved up, then down, by each coordinate (k,)."""
        moved = at.repeat(2 * len(chosen), *[1] * at.dim())
        step = torch.cat([reach, -reach])
        number = chosen.repeat(2)
        if self.spectrum is None:
            moved.view(len(step), -1).scatter_add_(1, number[:, None], step[:, None])
        else:
            channel, waves = self.spectrum.waves(number)
            moved[torch.arange(len(step)), channel] += step[:, None, None] * waves
        return moved


def _slope(oracle: Oracle, axes: _Axes, at: Tensor, chosen: Tensor, reach: Tensor) -> tuple[Tensor, Tensor]:
    """Slope of the margin along the chosen coordinates (n, k), and the mean margin seen (n,)."""
    problem, (n, k) = axes.problem, chosen.shape
    slope, lead = torch.zeros_like(reach), torch.zeros(n, device=at.device)
    together = max(_FLOATS_AT_ONCE // (2 * k * at[0].numel()), 1)
    for first in range(0, n, together):
        part = torch.arange(first, min(first + together, n), device=at.device)
        points = torch.cat([axes.both_ways(at[i], chosen[i], reach[i]) for i in part.tolist()])
        of = part.repeat_interleave(2 * k)
        balls = problem.ball.select(of)
        points = balls.inside(points)
        loss = margin(oracle.scores(balls.apply(points), of), problem.y[of]).reshape(len(part), 2, k)
        slope[part] = (loss[:, 0] - loss[:, 1]) / (2 * reach[part]).clamp_min(1e-12)
        lead[part] = loss.flatten(1).mean(1)
    return slope, lead
