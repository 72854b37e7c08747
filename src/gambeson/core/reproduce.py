"""Reproducibility: digests, and seeds derived from one run seed by name."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

_CHUNK = 1 << 20


@dataclass(frozen=True, slots=True)
class Seed:
    """A node of the seed tree. Children with different names give unrelated streams.

    Attributes:
        value: The run's seed, any non-negative integer.
        path: Names from the root to this node.
    """

    value: int
    path: tuple[str, ...] = ()

    def child(self, *names: str) -> Seed:
        """The node below this one called ``names``."""
        return Seed(self.value, self.path + names)

    def integer(self) -> int:
        """A 63-bit integer for a library that wants one."""
        return int.from_bytes(self._digest()[:8], "little") >> 1

    def generator(self) -> np.random.Generator:
        """A fresh NumPy generator; each call starts the same stream again."""
        return np.random.Generator(np.random.Philox(int.from_bytes(self._digest(), "little") >> 128))

    def keys(self, indices: np.ndarray) -> np.ndarray:
        """One 64-bit key per sample, whatever batch the sample travels in.

        Args:
            indices: (n,) integers that name the samples.

        Returns:
            (n,) int64, any bit pattern.
        """
        prefix = hashlib.blake2b(self._digest(), digest_size=8)
        out = np.empty(len(indices), np.uint64)
        for row, index in enumerate(indices):
            state = prefix.copy()
            state.update(int(index).to_bytes(8, "little", signed=True))
            out[row] = int.from_bytes(state.digest(), "little")
        return out.view(np.int64)

    def _digest(self) -> bytes:
        text = json.dumps([self.value, *self.path], separators=(",", ":"))
        return hashlib.sha256(text.encode()).digest()


def digest_bytes(chunks: Iterable[bytes | memoryview]) -> str:
    """``sha256:<hex>`` of the concatenated chunks."""
    state = hashlib.sha256()
    for chunk in chunks:
        state.update(chunk)
    return f"sha256:{state.hexdigest()}"


def digest_file(path: Path) -> str:
    """``sha256:<hex>`` of a file, read in pieces.

    Raises:
        OSError: The file cannot be read.
    """
    with path.open("rb") as stream:
        return digest_bytes(iter(lambda: stream.read(_CHUNK), b""))


def digest_value(value: object) -> str:
    """``sha256:<hex>`` of a JSON-serialisable value, keys sorted."""
    return digest_bytes([json.dumps(value, sort_keys=True, separators=(",", ":"), default=str).encode()])
