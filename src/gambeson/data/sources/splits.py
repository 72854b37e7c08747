"""Rows that are read on demand, and the division of a source into training and test rows."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np

from gambeson.core.errors import UsageError
from gambeson.core.reproduce import Seed
from gambeson.data.sources.options import DataOptions

Reader = Callable[[np.ndarray], np.ndarray]
"""From (m,) row numbers of a source to (m, *shape) float32 in input units."""


@dataclass(frozen=True, slots=True)
class RowSplit:
    """Some rows of a source. Labels and row numbers are in memory, features stay where they are.

    Attributes:
        read: Reads rows of the source.
        labels: (n,) int64 for every row of the source.
        rows: (m,) numbers of the rows that belong to this split.
    """

    read: Reader
    labels: np.ndarray
    rows: np.ndarray

    @classmethod
    def of_all(cls, read: Reader, labels: np.ndarray) -> RowSplit:
        """Every row of a source."""
        return cls(read, labels, np.arange(len(labels)))

    def __len__(self) -> int:
        return len(self.rows)

    def batches(self, size: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """All rows in order, ``size`` at a time: (m, *shape) float32 and (m,) int64 labels."""
        for start in range(0, len(self), size):
            yield self._read(self.rows[start : start + size])

    def take(self, indices: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The rows ``indices`` of this split, in that order: (m, *shape) float32 and (m,) int64 labels."""
        return self._read(self.rows[np.asarray(indices, np.int64)])

    def _read(self, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return self.read(rows), self.labels[rows]


def divide_as_asked(whole: RowSplit, options: DataOptions, name: str) -> tuple[dict[str, RowSplit], str]:
    """Splits of a source that has none of its own, and in words how they were drawn.

    Raises:
        UsageError: So few rows that a split stays empty.
    """
    seed = Seed(options.split_seed, ("split",))
    how = f"drawn class by class: test_fraction={options.test_fraction:g}, split_seed={options.split_seed}"
    return divide(whole, options.test_fraction, seed, name), how


def divide(whole: RowSplit, test_fraction: float, seed: Seed, name: str) -> dict[str, RowSplit]:
    """Divide rows into ``train`` and ``test``, class by class, so that both have the same mix of classes.

    Args:
        whole: All rows.
        test_fraction: Share of each class that goes to ``test``, in (0, 1]; at 1 there is no ``train``.
        seed: The same seed gives the same division.
        name: The source, for messages.

    Raises:
        UsageError: So few rows that a split stays empty.
    """
    if test_fraction == 1:
        return {"test": whole}
    chosen = np.zeros(len(whole), bool)
    labels = whole.labels[whole.rows]
    for label in np.unique(labels):
        members = np.flatnonzero(labels == label)
        count = round(test_fraction * len(members))
        chosen[seed.child(str(label)).generator().permutation(members)[:count]] = True
    splits = {
        "train": replace(whole, rows=whole.rows[~chosen]),
        "test": replace(whole, rows=whole.rows[chosen]),
    }
    for split, rows in splits.items():
        if not len(rows):
            raise UsageError(
                f"{name} has {len(whole)} rows: test_fraction={test_fraction:g} leaves {split!r} empty.",
                expected="enough rows of some class for both splits",
                remedy="change test_fraction; test_fraction=1 makes all rows test rows",
            )
    return splits
