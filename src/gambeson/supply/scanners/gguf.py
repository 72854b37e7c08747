"""GGUF: counts and places within the file, and the chat templates among its metadata."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Any

from gambeson.core.finding import Finding
from gambeson.supply.chat_template import judge_template
from gambeson.supply.content import Content, uint
from gambeson.supply.scanner import ScannerFacts, Visit, scanners
from gambeson.supply.sniffing import Format

_SIZES = {0: 1, 1: 1, 2: 2, 3: 2, 4: 4, 5: 4, 6: 4, 7: 1, 10: 8, 11: 8, 12: 8}
_STRING, _ARRAY = 8, 9
_LONGEST_NAME, _MOST_AXES, _DEEPEST = 65_535, 8, 4
_MOST_STRINGS = 4_000_000
# Block size and bytes of a block by type, from ggml.h; other types are newer and only their place is checked.
_BLOCKS = {
    0: (1, 4), 1: (1, 2), 2: (32, 18), 3: (32, 20), 6: (32, 22), 7: (32, 24), 8: (32, 34), 10: (256, 84),
    11: (256, 110), 12: (256, 144), 13: (256, 176), 14: (256, 210), 24: (1, 1), 25: (1, 2), 26: (1, 4), 27: (1, 8),
    28: (1, 8), 30: (1, 2),
}  # fmt: skip


class _Wrong(ValueError):
    """The header claims what cannot be."""


@scanners.register(
    "gguf", ScannerFacts((Format.GGUF,), "counts and places beyond the file; code in chat templates")
)
def scan_gguf(visit: Visit) -> Iterator[Finding]:
    """Everything that is wrong with a file."""
    reader = _Reader(visit.content)
    try:
        reader.number(4)
        version = reader.number(4)
        tensors, pairs = reader.number(8), reader.number(8)
        if version not in (2, 3):
            raise _Wrong(f"version {version}")
        if tensors * 24 + pairs * 13 > visit.content.size:
            raise _Wrong(f"{tensors} tensors and {pairs} pairs")
        alignment = 32
        for _ in range(pairs):
            key = reader.text(_LONGEST_NAME)
            value = reader.value(reader.number(4), keep="template" in key or key == "general.alignment")
            if key == "general.alignment" and isinstance(value, int):
                alignment = value
            for text in (value if isinstance(value, list) else [value]) if "template" in key else ():
                if isinstance(text, str):
                    yield from judge_template(visit, text, key)
        _check_tensors(reader, tensors, alignment)
    except _Wrong as error:
        yield visit.hit("scan.gguf.header", str(error), offset=reader.at)


def _check_tensors(reader: _Reader, count: int, alignment: int) -> None:
    """Every tensor lies within the data, and none on another."""
    if alignment < 1 or alignment & (alignment - 1) or alignment > 1 << 20:
        raise _Wrong(f"an alignment of {alignment}")
    places, names = [], set()
    for _ in range(count):
        name = reader.text(_LONGEST_NAME)
        axes = reader.number(4)
        if axes > _MOST_AXES or name in names:
            raise _Wrong(f"{name!r} has {axes} axes, or comes twice")
        names.add(name)
        shape = [reader.number(8) for _ in range(axes)]
        kind, offset = reader.number(4), reader.number(8)
        places.append((offset, _bytes(shape, kind), name))
    base = -(-reader.at // alignment) * alignment
    end = 0
    for offset, size, name in sorted(places):
        if offset < end or base + offset + size > reader.content.size:
            raise _Wrong(f"{name!r} overlaps another tensor or reaches over the end")
        end = offset + size


def _bytes(shape: list[int], kind: int) -> int:
    elements = 1
    for size in shape:
        elements *= size
    if elements >= 1 << 63:
        raise _Wrong(f"a tensor of shape {shape}")
    block, size = _BLOCKS.get(kind, (1, 0))
    return -(-elements // block) * size


class _Reader:
    """Reads numbers and strings one after the other, through a window."""

    def __init__(self, content: Content) -> None:
        self.content, self.at = content, 0
        self.window, self.base = b"", 0

    def take(self, size: int) -> bytes:
        place = self.at - self.base
        if not 0 <= place <= len(self.window) - size:
            self.window, self.base, place = self.content.read(self.at, max(size, 1 << 18)), self.at, 0
        data = self.window[place : place + size]
        if len(data) < size:
            raise _Wrong("it ends within the header")
        self.at += size
        return data

    def number(self, width: int) -> int:
        return uint(self.take(width))

    def skip(self, size: int) -> None:
        self.at += size
        if self.at > self.content.size:
            raise _Wrong("it ends within the header")

    def text(self, most: int, *, keep: bool = True) -> str:
        length = self.number(8)
        if length > min(most, self.content.size - self.at):
            raise _Wrong(f"a string of {length} bytes")
        if not keep:
            self.skip(length)
            return ""
        return self.take(length).decode("utf-8", "backslashreplace")

    def value(self, kind: int, *, keep: bool, depth: int = 0) -> Any:
        """A metadata value; kept only where asked for."""
        if kind == _STRING:
            return self.text(1 << 26, keep=keep)
        if kind == _ARRAY:
            inner, count = self.number(4), self.number(8)
            if depth >= _DEEPEST or count > self.content.size:
                raise _Wrong(f"an array of {count} values")
            if inner in _SIZES:
                self.skip(count * _SIZES[inner])
                return None
            if count > _MOST_STRINGS:
                raise _Wrong(f"an array of {count} strings")
            values = (self.value(inner, keep=keep, depth=depth + 1) for _ in range(count))
            return list(values) if keep else [None for _ in values][:0]
        if kind not in _SIZES:
            raise _Wrong(f"a value of type {kind}")
        data = self.take(_SIZES[kind])
        return struct.unpack("<f", data)[0] if kind == 6 else uint(data)
