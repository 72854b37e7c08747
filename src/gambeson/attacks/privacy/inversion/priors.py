"""What an attacker believes of inputs before he asks: neighbours are alike, or inputs look like those he holds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from gambeson.attacks.privacy.inversion.space import Space
from gambeson.attacks.randomness import SampleRandom


class Prior(Protocol):
    """A parametrisation of inputs and how unlikely each is."""

    @property
    def rate(self) -> float:
        """Step size of Adam in its coordinates."""

    def start(self, random: SampleRandom) -> Tensor:
        """(m, k) coordinates to begin with."""

    def decode(self, z: Tensor) -> Tensor:
        """(m, *shape) in [0, 1]; differentiable."""

    def penalty(self, z: Tensor) -> Tensor:
        """(m,) how unlikely, in nats; differentiable."""


@dataclass(frozen=True, slots=True)
class Smooth:
    """Free values; pictures of little total variation (Rudin et al. 1992), and near the typical input.

    Attributes:
        space: Of the inputs.
        typical: (*shape) in [0, 1]: the mean of the inputs that the attacker holds, or the middle.
        variation: Nats for each unit of total variation.
        pull: Nats for each unit of squared distance from ``typical``.
    """

    space: Space
    typical: Tensor
    variation: float
    pull: float
    rate: float = 0.05

    def start(self, random: SampleRandom) -> Tensor:
        """The typical input with a little noise."""
        noise = random.uniform(0, self.typical.numel(), stream=6) - 0.5
        return (self.typical.flatten() + 0.2 * noise).clamp(0, 1)

    def decode(self, z: Tensor) -> Tensor:
        """Cut to the bounds, with the gradient of the value itself so that no feature is stuck at a bound."""
        u = z.reshape(-1, *self.space.shape)
        return u + (u.clamp(0, 1) - u).detach()

    def penalty(self, z: Tensor) -> Tensor:
        """Total variation of pictures, and distance from the typical input."""
        u = z.reshape(-1, *self.space.shape)
        unlikely = self.pull * (u - self.typical).square().flatten(1).sum(1)
        return unlikely + self.variation * total_variation(u) if self.space.is_image else unlikely


def total_variation(u: Tensor) -> Tensor:
    """(m,) sum of absolute differences between neighbours of (m, C, H, W)."""
    down = (u[:, :, 1:] - u[:, :, :-1]).abs().flatten(1).sum(1)
    return down + (u[:, :, :, 1:] - u[:, :, :, :-1]).abs().flatten(1).sum(1)


@dataclass(frozen=True, slots=True)
class Principal:
    """Inputs in the principal components of those that the attacker holds, as if they were normal.

    Attributes:
        space: Of the inputs.
        mean: (d,) their mean.
        basis: (k, d) components, each as long as one standard deviation.
        weight: Nats for each half squared standard deviation from the mean.
    """

    space: Space
    mean: Tensor
    basis: Tensor
    weight: float = 0.05
    rate: float = 0.15

    def start(self, random: SampleRandom) -> Tensor:
        """Near the mean."""
        return 0.3 * random.normal(0, len(self.basis), stream=6)

    def decode(self, z: Tensor) -> Tensor:
        """The input at these coordinates, cut to the bounds (the gradient is that of the uncut value)."""
        u = (self.mean + z @ self.basis).reshape(-1, *self.space.shape)
        return u + (u.clamp(0, 1) - u).detach()

    def penalty(self, z: Tensor) -> Tensor:
        """Minus the logarithm of the normal density, up to a constant."""
        return self.weight * z.square().sum(1) / 2


def principal(public: Tensor, space: Space, most: int) -> Principal:
    """Fit the components to inputs.

    Args:
        public: (n, *shape) in input units, at least 2.
        space: Of the inputs.
        most: Largest number of components.
    """
    u = space.to_unit(public).flatten(1).double()
    mean = u.mean(0)
    _, lengths, directions = torch.linalg.svd(u - mean, full_matrices=False)
    spread = lengths / max(len(u) - 1, 1) ** 0.5
    kept = min(most, int((spread > 1e-6).sum()))
    return Principal(space, mean.float(), (spread[:kept, None] * directions[:kept]).float())
