"""The judge of an evasion attack: sees every query, believes nobody."""

from __future__ import annotations

import torch
from torch import Tensor

from gambeson.attacks.geometry import Ball
from gambeson.attacks.losses import margin
from gambeson.models.passes import Passes

_ROOM = 1 + 1e-4
"""Room for the rounding of a size in float32."""


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
        distance: (n,) float64 norm of the perturbation that was found; infinite where nothing was.
        strays: Number of queries that left the ball.
    """

    def __init__(self, y: Tensor, ball: Ball) -> None:
        self._y, self._ball = y, ball
        self._rows = torch.arange(len(y), device=y.device)
        self.adversarial = ball.x.clone()
        self.fallen = torch.zeros(len(y), dtype=torch.bool, device=y.device)
        self.margin = torch.full((len(y),), float("-inf"), device=y.device)
        self.distance = torch.full((len(y),), float("inf"), dtype=torch.float64, device=y.device)
        self.strays = 0

    def observe(self, x: Tensor, scores: Tensor, of: Tensor | None = None) -> None:
        """Look at one query per sample that still stands, or at several of the samples ``of``."""
        y, ball, rows = self._y, self._ball, self._rows
        if of is not None:
            # Many rows per sample: look closely at those that are misclassified, which alone can count.
            hits = self._worth_a_look(x, of, (scores.argmax(1) != y[of]).nonzero().squeeze(1))
            x, scores, of = x[hits], scores[hits], of[hits]
            y, ball, rows = y[of], ball.select(of), rows[of]
        valid = ball.contains(x)
        self.strays += int((~valid).sum())
        found = torch.where(valid, margin(scores, y), float("-inf"))
        self.margin.scatter_reduce_(0, rows, found, "amax")
        hits = (valid & (scores.argmax(1) != y)).nonzero().squeeze(1)
        if not len(hits):
            return
        if of is None and ball.space.rules is None:
            # Exact sizes only of those that could matter by a cheaper one.
            rough = ball.space.measure((x[hits] - ball.x[hits]) / ball.space.scale)
            hits = hits[self._could_be_news(rough, rows[hits])]
        x, rows = x[hits], rows[hits]
        size = ball.select(hits).size(x)
        new = self._news(size, rows)
        self.adversarial[rows[new]] = x[new].detach()
        self.distance[rows[new]] = size[new]
        self.fallen[rows[new]] = True

    def _worth_a_look(self, x: Tensor, of: Tensor, hits: Tensor) -> Tensor:
        """Those of the misclassified rows that could be news, by a size in float32 with room for its rounding."""
        ball = self._ball
        if ball.space.rules is not None or not len(hits):
            return hits
        who = of[hits]
        size = ball.space.measure(x[hits].sub_(ball.x[who]).div_(ball.space.scale))
        near = size <= ball.limit[who] * _ROOM
        self.strays += int((~near).sum())
        hits, who, size = hits[near], who[near], size[near]
        news = self._could_be_news(size, self._rows[who])
        if bool(ball.select(who[news]).contains(x[hits[news]]).all()):
            return hits[news]
        return hits  # the nearest is no valid input: another may be

    def _could_be_news(self, size: Tensor, rows: Tensor) -> Tensor:
        """Which rows could matter to ``_news``, by sizes that may be off by their rounding: (m,) bool."""
        return ~self.fallen[rows]

    def _news(self, size: Tensor, rows: Tensor) -> Tensor:
        """The first hit of each sample that stood so far: indices into the query."""
        hits = (size.isfinite() & ~self.fallen[rows]).nonzero().squeeze(1)
        return _first_of_each(hits, rows[hits], len(self.fallen))

    def standing(self) -> Tensor:
        """Which of the rows still looked at stand: indices into the current batch."""
        return (~self.fallen[self._rows]).nonzero().squeeze(1)

    def select(self, keep: Tensor) -> None:
        """Go on with the samples ``keep`` (indices into the current batch) only."""
        self._rows = self._rows[keep]
        self._y, self._ball = self._y[keep], self._ball.select(keep)


class NearestJudge(Judge):
    """Keeps, per sample, the valid misclassified query that is nearest to it; nobody is done before the end."""

    def _news(self, size: Tensor, rows: Tensor) -> Tensor:
        nearest = self.distance.scatter_reduce(0, rows, size, "amin")
        hits = ((size == nearest[rows]) & (size < self.distance[rows])).nonzero().squeeze(1)
        return _first_of_each(hits, rows[hits], len(self.fallen))

    def _could_be_news(self, size: Tensor, rows: Tensor) -> Tensor:
        known = self.distance.to(size.dtype)
        least = known.scatter_reduce(0, rows, size, "amin")[rows]
        return size <= torch.minimum(least, known[rows]) * _ROOM

    def standing(self) -> Tensor:
        """Every row that is still looked at."""
        return torch.arange(len(self._rows), device=self._rows.device)


def _first_of_each(hits: Tensor, rows: Tensor, n: int) -> Tensor:
    """Of several hits on one row, the first."""
    most = torch.iinfo(torch.int64).max
    first = torch.full((n,), most, device=hits.device).scatter_reduce(0, rows, hits, "amin")
    return hits[first[rows] == hits]


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
