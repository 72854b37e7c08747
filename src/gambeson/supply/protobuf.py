"""Protocol buffers read field by field, without a schema and without trust."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from gambeson.supply.content import Content

_WINDOW = 1 << 16
VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5


class BrokenMessage(ValueError):
    """The bytes are no message; the text says where and why."""


class Field(NamedTuple):
    """One field: ``value`` is the number of a varint, else 0; ``start`` and ``end`` frame its bytes."""

    number: int
    wire: int
    value: int
    start: int
    end: int


class Message:
    """A message within a content; reads through a window, so that small fields cost no read each.

    Args:
        content: Where it lies.
        start: First byte.
        end: One behind the last.
    """

    def __init__(self, content: Content, start: int = 0, end: int | None = None) -> None:
        self.content, self.start = content, start
        self.end = content.size if end is None else end
        self._window, self._base = b"", 0

    def fields(self, *, whole: bool = True) -> Iterator[Field]:
        """Every field in order.

        Args:
            whole: The last one must not reach over the end.

        Raises:
            BrokenMessage: A field breaks the encoding or reaches over the end.
        """
        at = self.start
        while at < self.end:
            tag, at = self._varint(at)
            number, wire = tag >> 3, tag & 7
            if number == 0:
                raise BrokenMessage(f"field number 0 at {at}")
            value, start, end = self._extent(wire, at)
            if end > self.end and whole:
                raise BrokenMessage(f"field {number} at {at} reaches over the end")
            yield Field(number, wire, value, start, end)
            at = end

    def _extent(self, wire: int, at: int) -> tuple[int, int, int]:
        if wire == VARINT:
            value, end = self._varint(at)
            return value, at, end
        if wire == BYTES:
            length, start = self._varint(at)
            return 0, start, start + length
        if wire in (FIXED64, FIXED32):
            return 0, at, at + (8 if wire == FIXED64 else 4)
        raise BrokenMessage(f"wire type {wire} at {at}")

    def _varint(self, at: int) -> tuple[int, int]:
        value = shift = 0
        while True:
            place = at - self._base
            if not 0 <= place < len(self._window):
                self._window, self._base = self.content.read(at, _WINDOW), at
                place = 0
            if at >= self.end or not self._window or shift > 63:
                raise BrokenMessage(f"bad varint at {at}")
            byte = self._window[place]
            value |= (byte & 0x7F) << shift
            at, shift = at + 1, shift + 7
            if byte < 0x80:
                return value, at

    def inner(self, field: Field) -> Message:
        """The message that a field holds."""
        message = Message(self.content, field.start, field.end)
        message._window, message._base = self._window, self._base
        return message

    def text(self, field: Field, most: int = 4096) -> str:
        """The string that a field holds, cut at ``most`` bytes."""
        data = self.content.read(field.start, min(field.end - field.start, most))
        return data.decode("utf-8", "backslashreplace")
