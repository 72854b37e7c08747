"""The ports of the store and the ledger in memory, with the faults that a test asks for."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator

from gambeson.core.errors import IntegrityError


class MemoryObjects:
    """Pieces in a dictionary."""

    def __init__(self) -> None:
        self.pieces: dict[str, bytes] = {}

    def save(self, pieces: Iterable[tuple[str, bytes]]) -> None:
        self.pieces |= dict(pieces)

    def load(self, name: str) -> bytes:
        if name not in self.pieces:
            raise IntegrityError(f"lost {name}")
        return self.pieces[name]

    def has(self, name: str) -> bool:
        return name in self.pieces

    def names(self) -> Iterator[str]:
        return iter(list(self.pieces))

    def sizes(self) -> int:
        return sum(map(len, self.pieces.values()))

    def remove(self, names: Iterable[str]) -> None:
        for name in names:
            self.pieces.pop(name, None)

    def writing(self) -> contextlib.AbstractContextManager[None]:
        return contextlib.nullcontext()

    def sweeping(self) -> contextlib.AbstractContextManager[None]:
        return contextlib.nullcontext()


class MemoryRecords:
    """Records in a list; ``rival`` is called once before each append, as another writer would come first."""

    def __init__(self) -> None:
        self.rows: list[tuple[bytes, str]] = []
        self.rival = lambda: None

    def append(self, number: int, record: bytes, digest: str) -> bool:
        self.rival()
        if number != len(self.rows):
            return False
        self.rows.append((record, digest))
        return True

    def read(self, start: int) -> list[tuple[bytes, str]]:
        return self.rows[start:]
