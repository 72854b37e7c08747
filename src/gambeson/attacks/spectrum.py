"""Low spatial frequencies of pictures: random perturbations that networks notice most."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import torch
from torch import Tensor

_FEWEST = 4
"""Frequencies that are kept on each axis, however small the share: the fewest that can follow a picture's shapes."""


def cosines(size: int, device: torch.device | None = None) -> Tensor:
    """(size, size) orthonormal DCT-II: row ``f`` is the wave of frequency ``f``."""
    frequency = torch.arange(size, device=device)[:, None]
    place = torch.arange(size, device=device) + 0.5
    wave = (math.pi / size * frequency * place).cos() * (2 / size) ** 0.5
    return torch.where(frequency == 0, wave / 2**0.5, wave)


@dataclass(frozen=True, slots=True)
class Spectrum:
    """The lowest frequencies of pictures of one shape.

    Attributes:
        tall: (kept, height) waves down the picture.
        wide: (kept, width) waves across it.
        channels: Number of channels, each with a spectrum of its own.
    """

    tall: Tensor
    wide: Tensor
    channels: int

    @classmethod
    def below(cls, shape: torch.Size, share: float, device: torch.device) -> Spectrum | None:
        """As ``of``, and ``None`` where ``share`` is 1: plain noise does the same."""
        return None if share >= 1 else cls.of(shape, share, device)

    @classmethod
    @lru_cache(maxsize=16)
    def of(cls, shape: torch.Size, share: float, device: torch.device) -> Spectrum | None:
        """The lowest ``share`` of the frequencies on each axis; ``None`` where the input is no picture.

        Args:
            shape: Of one sample.
            share: Above 0, at most 1; at least four frequencies are kept on each axis that has them.
            device: Where the waves live.
        """
        if len(shape) != 3:
            return None
        tall, wide = (cosines(side, device)[: max(round(share * side), _FEWEST)] for side in shape[1:])
        return cls(tall, wide, shape[0])

    @property
    def size(self) -> int:
        """Coefficients of one picture."""
        return self.channels * len(self.tall) * len(self.wide)

    def to_picture(self, coefficients: Tensor, out: Tensor | None = None) -> Tensor:
        """(n, channels, height, width) of coefficients (n, size)."""
        n, kept = len(coefficients) * self.channels, (len(self.tall), len(self.wide))
        # One small product for each picture and channel: its bits do not depend on how many there are.
        across = torch.bmm(coefficients.reshape(n, *kept), self.wide.expand(n, -1, -1))
        picture = torch.bmm(self.tall.T.expand(n, -1, -1), across)
        picture = picture.reshape(len(coefficients), self.channels, *picture.shape[1:])
        return picture if out is None else out.copy_(picture)

    def waves(self, number: Tensor) -> tuple[Tensor, Tensor]:
        """The channels (n,) and waves (n, height, width) of norm 1 that coefficients ``number`` (n,) stand for."""
        tall, wide = len(self.tall), len(self.wide)
        rest = number % (tall * wide)
        waves = self.tall[rest // wide][:, :, None] * self.wide[rest % wide][:, None, :]
        return number // (tall * wide), waves
