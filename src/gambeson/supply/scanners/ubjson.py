"""Universal Binary JSON, which is how XGBoost writes models: sizes within the file, trees within themselves."""

from __future__ import annotations

import struct
import sys
from array import array
from collections.abc import Iterator
from typing import Any

from gambeson.core.finding import Finding
from gambeson.supply.scanner import ScannerFacts, Visit, scanners
from gambeson.supply.sniffing import Format
from gambeson.supply.tree_indices import judge_xgboost

_LARGEST = 512 << 20
_DEEPEST = 64
_NUMBERS = {b"i": "b", b"U": "B", b"I": "h", b"l": "i", b"L": "q", b"d": "f", b"D": "d"}
_CONSTANTS = {b"Z": None, b"T": True, b"F": False}


class _Wrong(ValueError):
    """The bytes are no UBJSON."""


@scanners.register(
    "ubjson", ScannerFacts((Format.UBJSON,), "lengths beyond the file, trees that leave themselves")
)
def scan_ubjson(visit: Visit) -> Iterator[Finding]:
    """Everything that is wrong with a document."""
    if visit.content.size > _LARGEST:
        yield visit.hit("scan.archive.bomb", f"{visit.content.size} bytes of UBJSON")
        return
    reader = _Reader(visit.content.read(0, visit.content.size))
    try:
        value = reader.value(reader.take(1), 0)
        while reader.data[reader.at : reader.at + 1] == b"N":
            reader.at += 1
        if reader.at != len(reader.data):
            raise _Wrong(f"{len(reader.data) - reader.at} bytes behind its end")
    except _Wrong as error:
        yield visit.hit("scan.json.broken", str(error), offset=reader.at)
        return
    yield from judge_xgboost(visit, value)


class _Reader:
    def __init__(self, data: bytes) -> None:
        self.data, self.at = data, 0

    def take(self, size: int) -> bytes:
        data = self.data[self.at : self.at + size]
        if len(data) < size:
            raise _Wrong("it ends too early")
        self.at += size
        return data

    def number(self, mark: bytes) -> int | float:
        code = _NUMBERS[mark]
        value: int | float = struct.unpack(">" + code, self.take(struct.calcsize(code)))[0]
        return value

    def length(self) -> int:
        mark = self.take(1)
        if mark not in b"iUIlL":
            raise _Wrong(f"a length of type {mark!r}")
        value = int(self.number(mark))
        if not 0 <= value <= len(self.data):
            raise _Wrong(f"a length of {value}")
        return value

    def value(self, mark: bytes, depth: int) -> Any:
        """The value that a type mark begins."""
        if depth > _DEEPEST:
            raise _Wrong("it nests too deeply")
        if mark in _NUMBERS:
            return self.number(mark)
        if mark in _CONSTANTS:
            return _CONSTANTS[mark]
        if mark in b"SH":
            return self.take(self.length()).decode("utf-8", "backslashreplace")
        if mark == b"C":
            return self.take(1).decode("latin-1")
        if mark == b"[":
            return self.items(depth)
        if mark == b"{":
            return self.pairs(depth)
        raise _Wrong(f"a value of type {mark!r}")

    def head(self) -> tuple[bytes, int]:
        """Type and count of a container; no type or -1 where they are not given."""
        kind = b""
        if self.data[self.at : self.at + 1] == b"$":
            self.at += 1
            kind = self.take(1)
        if self.data[self.at : self.at + 1] == b"#":
            self.at += 1
            return kind, self.length()
        if kind:
            raise _Wrong("a type without a count")
        return b"", -1

    def items(self, depth: int) -> Any:
        kind, count = self.head()
        if kind in _NUMBERS:
            found = array(_NUMBERS[kind])
            found.frombytes(self.take(count * found.itemsize))
            if sys.byteorder == "little":
                found.byteswap()
            return found
        values = []
        while count != 0 and (count > 0 or self.data[self.at : self.at + 1] != b"]"):
            values.append(self.value(kind or self.take(1), depth + 1))
            count -= 1
        self.at += 1 if count < 0 else 0
        return values

    def pairs(self, depth: int) -> dict[str, Any]:
        kind, count = self.head()
        found: dict[str, Any] = {}
        while count != 0 and (count > 0 or self.data[self.at : self.at + 1] != b"}"):
            key = self.take(self.length()).decode("utf-8", "backslashreplace")
            found[key] = self.value(kind or self.take(1), depth + 1)
            count -= 1
        self.at += 1 if count < 0 else 0
        return found
