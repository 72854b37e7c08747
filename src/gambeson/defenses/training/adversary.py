"""The attacker inside the training loop: a few steps of projected gradient ascent on a batch."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from gambeson.attacks.geometry import Ball
from gambeson.attacks.randomness import SampleRandom

_KEYS = 2**62
_SHAKEN = 0.25
"""Radius of the noise on a start that is given, as a fraction of eps."""


@dataclass(frozen=True, slots=True)
class Adversary:
    """Steps of steepest ascent from a random start. Draws from torch's global generator, as dropout does.

    Attributes:
        steps: Gradient steps, at least 1.
        reach: Length of all steps together, as a multiple of eps.
        start: Radius of the random start, as a fraction of eps; 0 starts at the row itself.
    """

    steps: int = 10
    reach: float = 2.5
    start: float = 1.0

    def climb(self, ball: Ball, loss: Callable[[Tensor], Tensor], begin: Tensor | None = None) -> Tensor:
        """(n, *shape) inputs within the ball where ``loss`` is large.

        Args:
            ball: Perturbation sets around n rows.
            loss: Loss of inputs (n, *shape), summed over the rows.
            begin: (n, *shape) perturbations to begin near, as fractions of eps; ``None`` for a random start.

        Source: Madry et al. 2018, arXiv:1706.06083, section 2.1.
        """
        delta, length = self._begin(ball, begin), ball.space.eps * self.reach / self.steps
        for _ in range(self.steps):
            x = ball.apply(delta).requires_grad_(True)
            with torch.enable_grad():
                (grad,) = torch.autograd.grad(loss(x), x)
            delta = ball.project(delta + length * ball.ascent(delta, grad))
        return ball.apply(delta)

    def _begin(self, ball: Ball, begin: Tensor | None) -> Tensor:
        size = self.start if begin is None else min(self.start, _SHAKEN)
        noise = torch.zeros_like(ball.x) if size == 0 else size * _noise(ball)
        return noise if begin is None else ball.project(begin * ball.space.eps + noise)


def _noise(ball: Ball) -> Tensor:
    keys = torch.randint(-_KEYS, _KEYS, (len(ball.x),)).to(ball.x.device)
    return ball.random(SampleRandom(keys), 0)
