"""The candidate records of membership inference: members, and non-members that really are none."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from gambeson.core.reproduce import Seed, digest_bytes
from gambeson.data.dataset import Split

_ROWS_AT_ONCE = 1_024


@dataclass(frozen=True, slots=True)
class Pool:
    """Records whose membership is known to us: members first, then non-members.

    Attributes:
        members: Split that the target was trained on.
        nonmembers: Split that it was not trained on.
        member_rows: (m,) rows of ``members``, ascending.
        nonmember_rows: (n,) rows of ``nonmembers``, ascending.
        labels: (m + n,) int64 true classes.
        removed: Rows of ``nonmembers`` left out because the training split holds the same input.
    """

    members: Split
    nonmembers: Split
    member_rows: np.ndarray
    nonmember_rows: np.ndarray
    labels: np.ndarray
    removed: int = 0

    def __len__(self) -> int:
        return len(self.member_rows) + len(self.nonmember_rows)

    @property
    def truth(self) -> np.ndarray:
        """(m + n,) bool: who is a member."""
        return np.arange(len(self)) < len(self.member_rows)

    def take(self, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The records ``rows`` (ascending numbers in the pool): (k, *shape) float32 and (k,) int64."""
        m = len(self.member_rows)
        inside, outside = rows[rows < m], rows[rows >= m] - m
        parts = [
            split.take(numbers[chosen])
            for split, numbers, chosen in (
                (self.members, self.member_rows, inside),
                (self.nonmembers, self.nonmember_rows, outside),
            )
            if len(chosen)
        ]
        x, y = (np.concatenate(column) for column in zip(*parts, strict=True))
        return x, y

    def digest(self) -> str:
        """``sha256:<hex>`` of all records and labels, in order."""
        return digest_bytes(part.tobytes() for x, y in self.batches() for part in (x, y))

    def batches(self) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """All records in order, some at a time."""
        for start in range(0, len(self), _ROWS_AT_ONCE):
            yield self.take(np.arange(start, min(start + _ROWS_AT_ONCE, len(self))))


def draw_pool(members: Split, nonmembers: Split, records: int, seed: Seed) -> Pool:
    """At most ``records`` members and as many non-members, drawn without replacement.

    A row of ``nonmembers`` whose input occurs anywhere in ``members`` was trained on: it is left out. Both
    splits are read once.

    Args:
        members: The training records of the target.
        nonmembers: Records that it was not trained on.
        records: Most of each.
        seed: Draws them.
    """
    known, member_labels = _read(members)
    seen, other_labels = _read(nonmembers)
    trained_on = set(known)
    fresh = np.flatnonzero([fingerprint not in trained_on for fingerprint in seen])
    member_rows = _draw(np.arange(len(known)), records, seed.child("members"))
    nonmember_rows = _draw(fresh, records, seed.child("nonmembers"))
    labels = np.concatenate([member_labels[member_rows], other_labels[nonmember_rows]])
    return Pool(members, nonmembers, member_rows, nonmember_rows, labels, len(seen) - len(fresh))


def _read(split: Split) -> tuple[list[bytes], np.ndarray]:
    """A fingerprint of every input, and all labels."""
    fingerprints: list[bytes] = []
    labels = [np.empty(0, np.int64)]
    for x, y in split.batches(_ROWS_AT_ONCE):
        fingerprints += (hashlib.blake2b(row.tobytes(), digest_size=16).digest() for row in x)
        labels.append(y)
    return fingerprints, np.concatenate(labels)


def _draw(rows: np.ndarray, count: int, seed: Seed) -> np.ndarray:
    return rows if count >= len(rows) else np.sort(seed.generator().choice(rows, count, replace=False))
