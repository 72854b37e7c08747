"""Where chance comes from: a cipher under a secret key, for a release; or a seed, for research that repeats."""

from __future__ import annotations

import math
import os
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor

from gambeson.core.errors import missing_extra
from gambeson.core.reproduce import Seed

_BLOCK = 16
"""Bytes of a block of AES."""
_ZEROS = memoryview(bytes(1 << 20))


class Draws(Protocol):
    """What a private training draws."""

    @property
    def secret(self) -> bool:
        """Whether nobody can draw the same again."""

    def chosen(self, step: int, rows: int, rate: float) -> np.ndarray:
        """Numbers of the rows that take part in a step: each by itself with probability ``rate``; often none."""

    def normal(self, step: int, count: int) -> np.ndarray:
        """(count,) float32 standard normal numbers of a step."""


def _cipher() -> Any:
    """AES-256 in counter mode under a key that the operating system draws and nobody keeps."""
    try:
        from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
    except ImportError:
        raise missing_extra("cryptography", "privacy") from None
    return Cipher(algorithms.AES(os.urandom(32)), modes.CTR(os.urandom(16))).encryptor()


@dataclass(frozen=True, slots=True)
class SecretDraws:
    """From AES under a key of the operating system's entropy; a step that is made twice draws anew.

    A normal number is the sum of two, over the root of two: the digits of a single floating-point normal number can
    give away what it was added to.

    Raises:
        Unavailable: The package ``cryptography`` is missing.

    Source: Mironov 2012 (attack on floating-point noise); Holohan & Braghin 2021, arXiv:2107.10138, section 4.
    """

    cipher: Any = field(default_factory=_cipher, repr=False, compare=False)

    @property
    def secret(self) -> bool:
        """It is."""
        return True

    def chosen(self, step: int, rows: int, rate: float) -> np.ndarray:
        """Numbers of the rows, rising."""
        words = self._bytes(8 * rows).view(np.uint64)
        return np.flatnonzero((words >> np.uint64(11)) * 2.0**-53 < rate)

    def normal(self, step: int, count: int) -> np.ndarray:
        """(count,) float32, by Box & Muller; none is farther out than 6.7, at a chance of one in 2^32."""
        pairs = (count + 1) // 2
        uniform = self._uniform(4 * pairs).view(4, pairs)
        lengths = uniform[:2].log_().neg_().sqrt_()  # over the root of two
        angles = uniform[2:].mul_(2 * math.pi)
        found = torch.empty(2, pairs)
        torch.sum(angles.cos().mul_(lengths), 0, out=found[0])
        torch.sum(angles.sin_().mul_(lengths), 0, out=found[1])
        normal: np.ndarray = found.view(-1)[:count].numpy()
        return normal

    def _uniform(self, count: int) -> Tensor:
        """(count,) float32 in (0, 1]."""
        words = torch.from_numpy(self._bytes(4 * count).view(np.int32)).to(torch.float32)
        return words.add_(2.0**31).mul_(2.0**-32).clamp_(2.0**-33, 1.0)

    def _bytes(self, count: int) -> np.ndarray:
        """(count,) uint8: the cipher's stream, which is what it makes of zeros."""
        found = np.empty(count + _BLOCK, np.uint8)  # the cipher wants room for a block more
        room = memoryview(found)  # type: ignore[arg-type]
        for start in range(0, count, len(_ZEROS)):
            self.cipher.update_into(_ZEROS[: count - start], room[start:])
        return found[:count]


@dataclass(frozen=True, slots=True)
class SeededDraws:
    """The same for the same seed and step: whoever knows the seed can take the noise away again.

    Attributes:
        seed: Node of the seed tree.
    """

    seed: Seed

    @property
    def secret(self) -> bool:
        """It is not."""
        return False

    def chosen(self, step: int, rows: int, rate: float) -> np.ndarray:
        """Numbers of the rows, rising."""
        return np.flatnonzero(self.seed.child("rows", str(step)).generator().random(rows) < rate)

    def normal(self, step: int, count: int) -> np.ndarray:
        """(count,) float32."""
        generator = torch.Generator().manual_seed(self.seed.child("noise", str(step)).integer())
        return torch.randn(count, generator=generator).numpy()
