"""Bytes to look at: in memory, or in an open file that may not fit there."""

from __future__ import annotations

import os

HEAD = 4096
"""Bytes that a first look takes."""


class Content:
    """Random access to bytes; nothing is read that is not asked for.

    Args:
        data: The bytes themselves, or an open file descriptor.
        start: Where they begin.
        size: How many there are; all of ``data`` where it is not given.
    """

    __slots__ = ("_data", "_descriptor", "_start", "head", "size")

    def __init__(self, data: bytes | memoryview | int, start: int = 0, size: int | None = None) -> None:
        if isinstance(data, int):
            self._descriptor, self._data = data, memoryview(b"")
            self.size = (os.fstat(data).st_size if size is None else start + size) - start
        else:
            self._descriptor, self._data = -1, memoryview(data)
            self.size = len(data) - start if size is None else size
        self._start = start
        self.head = self.read(0, HEAD)

    def read(self, offset: int, length: int) -> bytes:
        """The bytes at an offset; fewer at the end, none behind it.

        Raises:
            OSError: The file cannot be read any more.
        """
        length = max(0, min(length, self.size - offset))
        if length == 0 or offset < 0:
            return b""
        begin = self._start + offset
        if self._descriptor < 0:
            return bytes(self._data[begin : begin + length])
        parts = []
        while length > 0:
            part = os.pread(self._descriptor, min(length, 1 << 30), begin)
            if not part:
                break
            parts.append(part)
            begin, length = begin + len(part), length - len(part)
        return b"".join(parts)

    def part(self, offset: int, length: int) -> Content:
        """A window onto these bytes, clipped to what there is."""
        offset = min(max(offset, 0), self.size)
        length = max(0, min(length, self.size - offset))
        where = self._data if self._descriptor < 0 else self._descriptor
        return Content(where, self._start + offset, length)

    def find(self, needle: bytes, offset: int = 0, end: int | None = None) -> int:
        """Where ``needle`` next begins, or -1; read in pieces of a MiB."""
        end = self.size if end is None else min(end, self.size)
        step = 1 << 20
        while offset < end:
            place = self.read(offset, min(step + len(needle) - 1, end - offset)).find(needle)
            if place >= 0:
                return offset + place
            offset += step
        return -1


def uint(data: bytes) -> int:
    """An unsigned little-endian integer."""
    return int.from_bytes(data, "little")
