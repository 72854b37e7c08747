"""Random numbers per sample: vectorised over a batch, yet the same whatever batch a sample travels in."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

_GOLDEN = -7046029254386353131  # 0x9E3779B97F4A7C15 as a signed 64-bit integer
_MIX_1 = -4658895280553007687  # 0xBF58476D1CE4E5B9
_MIX_2 = -7723592293110705685  # 0x94D049BB133111EB
_STREAMS = 16
_LONG = 1_024
"""Numbers per sample from which a generator for each sample is cheaper than hashing every position."""


def _shift(value: Tensor, bits: int) -> Tensor:
    """Logical right shift of 64-bit integers (torch's ``>>`` keeps the sign)."""
    return (value >> bits) & ((1 << (64 - bits)) - 1)


def _wrap(value: int) -> int:
    """A Python integer as a signed 64-bit one."""
    return (value + 2**63) % 2**64 - 2**63


def _mix(value: Tensor) -> Tensor:
    """The finaliser of SplitMix64 (Steele, Lea & Flood 2014): a bijection that scatters every bit."""
    value = (value ^ _shift(value, 30)) * _MIX_1
    value = (value ^ _shift(value, 27)) * _MIX_2
    return value ^ _shift(value, 31)


@dataclass(frozen=True, slots=True)
class SampleRandom:
    """Counter-based generator with one key per sample.

    A draw is a function of (key, step, stream, position) alone: it does not depend on what was drawn
    before, so an attack can be compacted, cut in pieces or resumed without changing it.

    Attributes:
        keys: (n,) int64, one per sample.
    """

    keys: Tensor

    def uniform(self, step: int, *shape: int, stream: int = 0) -> Tensor:
        """(n, *shape) float32, uniform in [0, 1).

        Args:
            step: The attack's step, 0 or more.
            shape: Shape per sample.
            stream: 0 to 15; two draws in one step take two streams.
        """
        count = math.prod(shape)
        base = self._base(step, stream)
        if count >= _LONG:
            return _long(torch.rand, base, shape)
        offsets = torch.arange(1, count + 1, dtype=torch.int64, device=self.keys.device) * _GOLDEN
        bits = _shift(_mix(base[:, None] + offsets), 40)
        return (bits.to(torch.float32) * 2.0**-24).reshape(len(self.keys), *shape)

    def normal(self, step: int, *shape: int, stream: int = 0) -> Tensor:
        """(n, *shape) float32, standard normal; takes ``stream`` and the next one."""
        if math.prod(shape) >= _LONG:
            return _long(torch.randn, self._base(step, stream), shape)
        radius = (-2 * torch.log1p(-self.uniform(step, *shape, stream=stream))).sqrt()
        return radius * torch.cos(2 * math.pi * self.uniform(step, *shape, stream=stream + 1))

    def signs(self, step: int, *shape: int, stream: int = 0) -> Tensor:
        """(n, *shape) float32, -1 or 1 with equal chance."""
        return torch.where(self.uniform(step, *shape, stream=stream) < 0.5, -1.0, 1.0)

    def _base(self, step: int, stream: int) -> Tensor:
        """(n,) int64: the seed of one draw of each sample."""
        return _mix(self.keys + _wrap((step * _STREAMS + stream + 1) * _GOLDEN))

    def select(self, keep: Tensor) -> SampleRandom:
        """The generators of the samples ``keep``."""
        return SampleRandom(self.keys[keep])


def _long(draw: Callable[..., Tensor], seeds: Tensor, shape: tuple[int, ...]) -> Tensor:
    """(n, *shape) numbers, each row from a generator of its own, drawn on the CPU."""
    drawn = torch.empty(len(seeds), *shape)
    generator = torch.Generator()
    for row, seed in zip(drawn, seeds.tolist(), strict=True):
        generator.manual_seed(seed)
        draw(shape, generator=generator, out=row)
    return drawn.to(seeds.device)
