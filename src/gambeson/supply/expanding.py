"""Expanded data kept in bounded memory: small in memory, large in a file that has no name."""

from __future__ import annotations

import tempfile
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from gambeson.supply.content import Content
from gambeson.supply.scanner import Visit

_IN_MEMORY = 32 << 20


class Bomb(Exception):
    """The data expand beyond what a scan follows."""


class Expanded:
    """What came out.

    Attributes:
        content: The bytes.
        crc: Their CRC-32.
        error: Why it broke off; empty where it did not.
    """

    __slots__ = ("content", "crc", "error")

    def __init__(self, content: Content, crc: int, error: str) -> None:
        self.content, self.crc, self.error = content, crc, error


@contextmanager
def expanded(visit: Visit, packed: int, pieces: Iterable[bytes]) -> Iterator[Expanded]:
    """Collect the pieces; what came before an error is kept, too.

    Args:
        visit: Whose budget it takes from.
        packed: Size before expansion.
        pieces: Expanded data in order; may raise ``ValueError``, ``OSError`` or ``EOFError``.

    Raises:
        Bomb: There is more than the limits allow.
    """
    limits, crc, size, error = visit.limits, 0, 0, ""
    with tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY) as store:
        try:
            for piece in pieces:
                crc, size = zlib.crc32(piece, crc), size + len(piece)
                visit.budget.expanded -= len(piece)
                if visit.budget.expanded < 0 or size > max(limits.large, packed * limits.ratio):
                    raise Bomb
                store.write(piece)
        except (ValueError, OSError, EOFError) as caught:
            error = str(caught) or type(caught).__name__
        if size > _IN_MEMORY:
            store.flush()
            yield Expanded(Content(store.fileno(), 0, size), crc, error)
        else:
            store.seek(0)
            yield Expanded(Content(store.read()), crc, error)
