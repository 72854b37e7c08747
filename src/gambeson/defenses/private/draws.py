"""Where chance comes from: the operating system, for a release; or a seed, for research that is to be repeated."""

from __future__ import annotations

import math
import os
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from gambeson.core.reproduce import Seed

_PARTS = 4
"""Normal numbers that are added up to one: enough that its last digits say nothing (Holohan & Braghin 2021, n = 2)."""


class Draws(Protocol):
    """What a private training draws."""

    @property
    def secret(self) -> bool:
        """Whether nobody can draw the same again."""

    def chosen(self, step: int, rows: int, rate: float) -> np.ndarray:
        """Numbers of the rows that take part in a step: each by itself with probability ``rate``; often none."""

    def normal(self, step: int, count: int) -> np.ndarray:
        """(count,) float32 standard normal numbers of a step."""


@dataclass(frozen=True, slots=True)
class SecretDraws:
    """From the operating system's entropy; a step that is made twice draws anew.

    A normal number is the sum of four, halved: the digits of a floating-point normal number otherwise give away what
    it was added to.

    Source: Mironov 2012 (attack on floating-point noise); Holohan & Braghin 2021, arXiv:2107.10138, section 4.
    """

    @property
    def secret(self) -> bool:
        """It is."""
        return True

    def chosen(self, step: int, rows: int, rate: float) -> np.ndarray:
        """Numbers of the rows, rising."""
        return np.flatnonzero(_uniform(rows) < rate)

    def normal(self, step: int, count: int) -> np.ndarray:
        """(count,) float32."""
        found = np.zeros(count)
        for _ in range(_PARTS // 2):
            lengths = np.sqrt(-2 * np.log1p(-_uniform(count)))
            angles = 2 * math.pi * _uniform(count)
            found += lengths * np.cos(angles)
            found += lengths * np.sin(angles)
        return (found / math.sqrt(_PARTS)).astype(np.float32)


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
        return self.seed.child("noise", str(step)).generator().standard_normal(count, np.float32)


def _uniform(count: int) -> np.ndarray:
    """(count,) float64 in [0, 1), multiples of 2^-53."""
    return (np.frombuffer(os.urandom(8 * count), np.uint64) >> np.uint64(11)) * 2.0**-53
