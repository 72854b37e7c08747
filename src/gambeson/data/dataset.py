"""A dataset: named splits of features and labels behind one streaming interface."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from gambeson.core.errors import InsufficientEvidence, UsageError
from gambeson.data.schema import Schema


class Split(Protocol):
    """Rows that can be read in order or by number, without holding all of them."""

    def __len__(self) -> int:
        """Number of rows."""

    def batches(self, size: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """All rows in order, ``size`` at a time: (m, *shape) float32 in input units and (m,) int64 labels."""

    def take(self, indices: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The rows ``indices``, in that order: (m, *shape) float32 and (m,) int64 labels."""


@dataclass(frozen=True, slots=True)
class ArraySplit:
    """A split held in memory (or memory-mapped)."""

    x: np.ndarray
    y: np.ndarray

    def __len__(self) -> int:
        return len(self.y)

    def batches(self, size: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """All rows in order, ``size`` at a time."""
        for start in range(0, len(self), size):
            yield self.take(np.arange(start, min(start + size, len(self))))

    def take(self, indices: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The rows ``indices``, in that order."""
        return np.asarray(self.x[indices], np.float32), np.asarray(self.y[indices], np.int64)


@dataclass(frozen=True, slots=True)
class Dataset:
    """Named splits with one schema.

    Attributes:
        name: What people call it: the URI it was opened from.
        schema: Shape, bounds, classes, features.
        splits: Split by name; ``"test"`` is audited, ``"train"`` is what the target was trained on.
        digest: ``sha256:<hex>`` of the source's content.
        drawn: How the splits were drawn where the source has none of its own, else empty. What is called
            ``"train"`` is then what a model was trained on only if it was trained on the same draw.
    """

    name: str
    schema: Schema
    splits: Mapping[str, Split]
    digest: str
    drawn: str = ""

    def split(self, name: str) -> Split:
        """The split called ``name``.

        Raises:
            UsageError: There is no such split.
            InsufficientEvidence: The split is empty.
        """
        if name not in self.splits:
            raise UsageError(f"{self.name} has no split {name!r}.", expected=", ".join(self.splits))
        if len(self.splits[name]) == 0:
            raise InsufficientEvidence(
                f"The split {name!r} of {self.name} is empty.", remedy="choose another one with --split"
            )
        return self.splits[name]
