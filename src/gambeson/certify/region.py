"""The inputs that a certificate speaks of, in float64: every valid input that a judge would accept."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from gambeson.attacks.geometry import PerturbationSet
from gambeson.core.errors import Unavailable
from gambeson.core.threat import Norm

NORMS = (Norm.LINF, Norm.L2, Norm.L1)
_DUAL = {Norm.L2: 2.0, Norm.L1: torch.inf}


@dataclass(frozen=True, slots=True)
class Region:
    """A ball around each of n samples, cut to the bounds of the input.

    Attributes:
        norm: Of the ball.
        x: (n, *shape) float64 the samples.
        reach: (n, *shape) how far the ball extends along each value, in input units; 0 where it is frozen.
        low, high: (n, *shape) the smallest box around the region.
    """

    norm: Norm
    x: Tensor
    reach: Tensor
    low: Tensor
    high: Tensor

    @classmethod
    def around(cls, space: PerturbationSet, x: Tensor) -> Region:
        """The region around each row of ``x`` (n, *shape).

        It has the room that ``Ball.contains`` grants to rounding, so that whatever a judge accepts is inside.
        Integer features and relations between features are relaxed: a superset of the valid inputs.

        Raises:
            Unavailable: The norm is l0, or categories may change.
        """
        if space.norm not in NORMS:
            raise Unavailable(
                f"Bound propagation does not know the norm {space.norm}.", expected=", ".join(NORMS)
            )
        if space.rules is not None and space.rules.budget:
            raise Unavailable(
                "Bound propagation knows no attacker who changes categories.",
                remedy="certify with categories=0",
            )
        frozen = space.frozen if space.rules is None else space.rules.pinned
        x = x.double()
        limit = space.limit(x.float()).reshape(-1, *[1] * (x.dim() - 1))
        reach = torch.where(frozen, 0.0, limit * space.scale.double())
        low = torch.maximum(x - reach, torch.minimum(space.low.double(), x))
        high = torch.minimum(x + reach, torch.maximum(space.high.double(), x))
        return cls(space.norm, x, reach, low, high)

    def select(self, keep: Tensor) -> Region:
        """The regions around the samples ``keep``."""
        return Region(self.norm, *(v[keep] for v in (self.x, self.reach, self.low, self.high)))

    def least(self, a: Tensor) -> Tensor:
        """Lower bound of a · x over the region; exact under linf.

        Under l2 and l1, the better of two: over the ball alone (Hölder), and over the box around it.

        Args:
            a: (n, rows, *shape).

        Returns:
            (n, rows).
        """
        flat = a.flatten(2)
        middle, half = ((v / 2).flatten(1)[:, :, None] for v in (self.high + self.low, self.high - self.low))
        box = (flat @ middle - flat.abs() @ half).squeeze(2)
        if self.norm is Norm.LINF:
            return box
        steepest = torch.linalg.vector_norm(flat * self.reach.flatten(1)[:, None], _DUAL[self.norm], dim=2)
        ball = (flat @ self.x.flatten(1)[:, :, None]).squeeze(2) - steepest
        return torch.maximum(box, ball)
