"""What attacks that see labels only have in common: a start on the wrong side, and the way to the boundary."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from gambeson.attacks.base import Problem, rows
from gambeson.attacks.geometry import Ball
from gambeson.core.threat import Norm
from gambeson.models.oracle import Oracle

_STREAM = 7
_NOTHING = 1e-6
"""Share of the way below which a bisection gives up: the sample itself is as good as misclassified."""


@dataclass(frozen=True, slots=True)
class Decisions:
    """Asks for decisions about perturbations, of the samples that still have queries left.

    Attributes:
        oracle: The attacker's view of the model.
        problem: The samples.
    """

    oracle: Oracle
    problem: Problem

    def affordable(self, of: Tensor) -> Tensor:
        """The samples among ``of`` (indices) that have a query left."""
        return of[(self.oracle.left.to(of.device) > 0)[of]]

    def balls(self, of: Tensor) -> Ball:
        """The balls around the samples ``of`` (sorted, each once); no copy where they are all."""
        ball = self.problem.ball
        return ball if len(of) == len(ball.x) else ball.select(of)

    def wrong(self, delta: Tensor, of: Tensor) -> Tensor:
        """Whether each perturbation (m, *shape) of the samples ``of`` (m,) is misclassified: (m,) bool."""
        if not len(of):
            return torch.zeros(0, dtype=torch.bool, device=of.device)
        x = self.problem.ball.apply(delta, of)
        return self.oracle.labels(x, of) != self.problem.y[of]

    def wrong_at(self, x: Tensor, of: Tensor) -> Tensor:
        """Whether each input (m, *shape) near the samples ``of`` (m,) is misclassified: (m,) bool."""
        return self.oracle.labels(x, of) != self.problem.y[of]

    def start(self, step: int, tries: int) -> tuple[Tensor, Tensor]:
        """A misclassified perturbation for each sample, from inputs of other samples, then from noise.

        Args:
            step: Number under which the noise is drawn.
            tries: Most queries per sample.

        Returns:
            Perturbations (n, *shape), zero where none was found, and (n,) bool whether one was.
        """
        ball = self.problem.ball
        delta = torch.zeros_like(ball.x)
        found = torch.zeros(len(self.problem.y), dtype=torch.bool, device=ball.x.device)
        donors = self.donors(tries // 2)
        for number in range(tries):
            of = self.affordable((~found).nonzero().squeeze(1))
            if not len(of):
                break
            if number < donors.shape[1]:
                guess = ball.inside((self.problem.donors[donors[:, number]] - ball.x) / ball.space.scale)
            else:
                place = self.problem.rng.uniform(step + number, *ball.x.shape[1:], stream=_STREAM)
                guess = ball.low + place * (ball.high - ball.low)
            hit = of[self.wrong(guess[of], of)]
            delta[hit], found[hit] = guess[hit], True
        return delta, found

    def donors(self, most: int) -> Tensor:
        """The nearest donors of each sample, (n, k) indices, nearest first; numbers are measured by their scale."""
        scale = self.problem.ball.space.scale
        x, donors = self.problem.ball.x / scale, self.problem.donors / scale
        if not len(donors):
            return torch.zeros(len(x), 0, dtype=torch.int64, device=x.device)
        apart = torch.cdist(x.flatten(1), donors.flatten(1))
        apart = torch.where(apart > 0, apart, torch.inf)  # a sample is no donor to itself
        return apart.argsort(dim=1, stable=True)[:, : min(most, len(donors))]

    def bisect(self, far: Tensor, of: Tensor, tolerance: float) -> Tensor:
        """Go from misclassified perturbations ``far`` (m, *shape) of ``of`` towards the samples.

        Returns:
            (m, *shape) still misclassified, longer than the boundary along the way by at most ``tolerance``
            of their own length, while queries last.
        """
        norm = self.problem.ball.space.norm
        low = torch.zeros(len(of), device=far.device)
        high = torch.ones_like(low)
        while True:
            open_ = (self.oracle.left.to(of.device)[of] > 0) & (high - low > tolerance * high)
            live = (open_ & (high > _NOTHING)).nonzero().squeeze(1)
            if not len(live):
                return shorten(far, high, norm)
            middle = (low + high) / 2
            wrong = self.wrong(shorten(far[live], middle[live], norm), of[live])
            high[live] = torch.where(wrong, middle[live], high[live])
            low[live] = torch.where(wrong, low[live], middle[live])


def shorten(delta: Tensor, share: Tensor, norm: Norm) -> Tensor:
    """Each perturbation at ``share`` (m,) of its norm: scaled, or clipped under linf."""
    if norm is not Norm.LINF:
        return rows(share, delta) * delta
    radius = rows(share * delta.flatten(1).abs().amax(1), delta)
    return delta.clamp(-radius, radius)
