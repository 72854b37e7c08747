"""Cuts content where the content itself says so: an insertion moves the cuts with it and leaves other pieces alone.

Source: Muthitacharoen et al., "A low-bandwidth network file system", SOSP 2001 (cuts by content); Xia et al.,
"FastCDC", USENIX ATC 2016 (the gear hash, smallest and largest piece).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np

SMALLEST, LARGEST = 16 << 10, 256 << 10
_BITS = 15
_WINDOW = 32
_FILL = 8 << 20


def _gear() -> np.ndarray:
    """256 fixed numbers without structure: (256,) uint32. They decide where cuts fall, so they never change."""
    state, table = 0x9E3779B97F4A7C15, []
    for _ in range(256):  # splitmix64
        state = (state + 0x9E3779B97F4A7C15) & (1 << 64) - 1
        mixed = (state ^ state >> 30) * 0xBF58476D1CE4E5B9 & (1 << 64) - 1
        mixed = (mixed ^ mixed >> 27) * 0x94D049BB133111EB & (1 << 64) - 1
        table.append((mixed ^ mixed >> 31) >> 32)
    return np.array(table, np.uint32)


_GEAR = _gear()


def cut(blocks: Iterable[bytes]) -> Iterator[bytes]:
    """The content in pieces of 16 to 256 KiB, 50 on average; the last may be shorter.

    The pieces depend on the content alone, not on how it is divided into blocks. Holds at most 9 MiB and a block.
    """
    held = bytearray()
    for block in blocks:
        held += block
        if len(held) >= _FILL:
            ends = _ends(held, final=False)
            yield from _pieces(held, ends)
            del held[: ends[-1]]
    yield from _pieces(held, _ends(held, final=True))


def _pieces(content: bytearray, ends: list[int]) -> Iterator[bytes]:
    view = memoryview(content)
    try:
        start = 0
        for end in ends:
            yield bytes(view[start:end])
            start = end
    finally:
        view.release()


def _ends(content: bytearray, *, final: bool) -> list[int]:
    """Where pieces end; without ``final`` only those that more content cannot change."""
    candidates = _candidates(np.frombuffer(bytes(content), np.uint8))
    ends: list[int] = []
    start = 0
    while start < len(content) and (final or len(content) - start >= LARGEST):
        at = int(np.searchsorted(candidates, start + SMALLEST))
        limit = min(start + LARGEST, len(content))
        end = int(candidates[at]) if at < len(candidates) else limit
        start = min(end, limit)
        ends.append(start)
    return ends


def _candidates(content: np.ndarray) -> np.ndarray:
    """Ends after which the hash of the last 32 bytes has 15 zero bits on top: ascending int64."""
    state = _GEAR[content]
    reach = 1
    while reach < _WINDOW:  # each round doubles the bytes that a hash has seen
        state[reach:] += state[:-reach] << np.uint32(reach)
        reach *= 2
    return np.flatnonzero(state >> np.uint32(32 - _BITS) == 0) + 1
