"""The judge of an evasion attack: sees every query, believes nobody."""

from __future__ import annotations

import torch
from torch import Tensor

from gambeson.attacks.geometry import Ball
from gambeson.attacks.losses import margin
from gambeson.models.passes import Passes


class Judge:
    """Keeps, per sample, the first valid query that is misclassified.

    Queries outside the ball or the bounds never count: an attack that cheats can only look weak.

    Args:
        y: (n,) true labels.
        ball: Perturbation sets around the samples.

    Attributes:
        adversarial: (n, *shape) what was found; the sample itself where nothing was.
        fallen: (n,) bool.
        margin: (n,) largest loss margin seen on any valid query; above 0 where fallen.
        strays: Number of queries that left the ball.
    """

    def __init__(self, y: Tensor, ball: Ball) -> None:
        self._y, self._ball = y, ball
        self._rows = torch.arange(len(y), device=y.device)
        self.adversarial = ball.x.clone()
        self.fallen = torch.zeros(len(y), dtype=torch.bool, device=y.device)
        self.margin = torch.full((len(y),), float("-inf"), device=y.device)
        self.strays = 0

    def observe(self, x: Tensor, scores: Tensor) -> None:
        """Look at one query per sample that still stands."""
        valid = self._ball.contains(x)
        self.strays += int((~valid).sum())
        found = torch.where(valid, margin(scores, self._y), float("-inf"))
        self.margin[self._rows] = torch.maximum(self.margin[self._rows], found)
        new = valid & (scores.argmax(1) != self._y) & ~self.fallen[self._rows]
        hit = self._rows[new]
        self.adversarial[hit] = x[new].detach()
        self.fallen[hit] = True

    def standing(self) -> Tensor:
        """Which of the rows still looked at stand: indices into the current batch."""
        return (~self.fallen[self._rows]).nonzero().squeeze(1)

    def select(self, keep: Tensor) -> None:
        """Go on with the samples ``keep`` (indices into the current batch) only."""
        self._rows = self._rows[keep]
        self._y, self._ball = self._y[keep], self._ball.select(keep)


def verify(passes: Passes, x: Tensor, y: Tensor, ball: Ball) -> Tensor:
    """Whether each claimed adversarial input holds on a fresh float32 pass of the untouched model: (n,) bool.

    Args:
        passes: The model, without any attacker in between.
        x: (n, *shape) the claims.
        y: (n,) true labels.
        ball: Perturbation sets around the samples.
    """
    if not len(x):
        return torch.zeros(0, dtype=torch.bool)
    return ball.contains(x) & (passes.scores(x).argmax(1) != y)
