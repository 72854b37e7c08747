"""Where valid inputs lie: every feature between 0 and 1, and how to come back to the model's units."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from gambeson.data.schema import Schema


@dataclass(frozen=True, slots=True)
class Space:
    """Maps inputs to [0, 1] and back.

    Attributes:
        low: (*shape) the smallest value of each feature, finite.
        width: (*shape) its range, above 0.
        whole: (*shape) bool: only whole numbers are valid.
        groups: Flat places of columns of which exactly one is 1.
        is_image: Whether inputs are pictures (C, H, W).
    """

    low: Tensor
    width: Tensor
    whole: Tensor
    groups: tuple[tuple[int, ...], ...]
    is_image: bool

    @property
    def shape(self) -> tuple[int, ...]:
        """Of one input."""
        return tuple(self.low.shape)

    def to_unit(self, x: Tensor) -> Tensor:
        """(n, *shape) input units to [0, 1]."""
        return ((x - self.low) / self.width).clamp(0, 1)

    def to_input(self, u: Tensor) -> Tensor:
        """(n, *shape) in [0, 1] to input units; differentiable."""
        return self.low + u * self.width

    def valid(self, u: Tensor) -> Tensor:
        """The valid input nearest to ``u``: whole numbers where they must be, one 1 in each one-hot group."""
        x = self.to_input(u.clamp(0, 1))
        x = torch.where(self.whole, x.round(), x)
        flat, soft = x.flatten(1), u.flatten(1)
        for group in self.groups:
            places = list(group)
            flat[:, places] = torch.nn.functional.one_hot(soft[:, places].argmax(1), len(places)).to(x.dtype)
        return flat.reshape(x.shape)


def space_of(schema: Schema, known: Tensor) -> Space:
    """The space of a schema; an unbounded side ends where the known inputs end.

    Args:
        schema: Bounds and kinds.
        known: (n, *shape) inputs; n may be 0 where every feature is bounded.
    """
    low, high = (bound.astype(np.float64) for bound in schema.bounds())
    if len(known):
        least, most = known.amin(0).double().numpy(), known.amax(0).double().numpy()
    else:
        least, most = np.where(np.isfinite(low), low, -1.0), np.where(np.isfinite(high), high, 1.0)
    low, high = np.where(np.isfinite(low), low, least), np.where(np.isfinite(high), high, most)
    width = np.where(high > low, high - low, 1.0)
    return Space(
        torch.from_numpy(low).float(),
        torch.from_numpy(width).float(),
        torch.from_numpy(schema.integer_mask()),
        tuple(tuple(schema.place(name) for name in group) for group in schema.one_hot),
        schema.is_image,
    )
