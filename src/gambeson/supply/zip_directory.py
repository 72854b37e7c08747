"""The directory of a zip archive, read without trust and held against the entries themselves."""

from __future__ import annotations

import bz2
import lzma
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from gambeson.supply.content import Content, uint

END = b"PK\x05\x06"
_LONGEST_COMMENT = 65_535
_STORED, _DEFLATED, _BZIP2, _LZMA = 0, 8, 12, 14
METHODS = {_STORED, _DEFLATED, _BZIP2, _LZMA}
_MOST = 500_000
_PIECE = 1 << 18


class BrokenZip(ValueError):
    """There is no directory that can be read."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry as the directory lists it, and where its data lie.

    Attributes:
        name: Its path within the archive.
        method: How it is compressed.
        flags: General-purpose bits.
        crc: Of the expanded data.
        packed: Bytes in the archive.
        expanded: Bytes that it claims to expand to.
        header: Offset of the local header.
        data: Offset of the data; -1 where the local header is unreadable.
        mode: Unix file type and permissions; 0 where unknown.
        faults: In what the local header differs.
    """

    name: str
    method: int
    flags: int
    crc: int
    packed: int
    expanded: int
    header: int
    data: int
    mode: int
    faults: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Directory:
    """All entries, and what is odd about the archive as a whole.

    Attributes:
        entries: In the directory's order.
        shift: Bytes before the archive: a foreign file joined in front.
        tail: Bytes behind it.
        comment: Length of the archive's comment.
        end: Offset of the record that ends the directory.
        start: Offset of the directory.
    """

    entries: tuple[Entry, ...]
    shift: int
    tail: int
    comment: int
    end: int
    start: int


def find_end(content: Content) -> int:
    """Offset of the last record that can end a directory, or -1."""
    base = max(0, content.size - _LONGEST_COMMENT - 22)
    data = content.read(base, content.size - base)
    place = data.rfind(END)
    while place >= 0:
        record = data[place : place + 22]
        if len(record) == 22 and place + 22 + uint(record[20:22]) <= len(data):
            return base + place
        place = data.rfind(END, 0, place + 3)
    return -1


def read_directory(content: Content) -> Directory:
    """Read the directory and each local header.

    Raises:
        BrokenZip: There is no directory, or it breaks off.
    """
    end = find_end(content)
    if end < 0:
        raise BrokenZip("it has no directory")
    record = content.read(end, 22)
    count, size, start, comment = struct.unpack("<HIIH", record[10:])
    tail = content.size - end - 22 - comment
    bottom = end
    locator = content.read(end - 20, 20) if end >= 20 else b""
    if locator[:4] == b"PK\x06\x07":
        bottom = uint(locator[8:16])
        count, size, start = _zip64(content, bottom, (count, size, start))
    shift = bottom - size - start
    if shift < 0:
        raise BrokenZip("its directory reaches over its end")
    if count > _MOST or size > 1 << 30:
        raise BrokenZip(f"its directory claims {count} entries")
    entries = tuple(_entries(content, start + shift, size, count, shift))
    return Directory(entries, shift, tail, comment, end, start + shift)


def _zip64(content: Content, place: int, given: tuple[int, int, int]) -> tuple[int, int, int]:
    """Count, size and start of the directory from its 64-bit record, which must not contradict the other."""
    record = content.read(place, 56)
    if record[:4] != b"PK\x06\x06" or len(record) < 56:
        raise BrokenZip("its zip64 record is missing")
    wide: tuple[int, int, int] = struct.unpack("<QQQ", record[32:56])
    for narrow, full, there in zip(given, wide, (0xFFFF, 0xFFFFFFFF, 0xFFFFFFFF), strict=True):
        if narrow not in (full, there):
            raise BrokenZip("its two end records name different directories")
    return wide


def _entries(content: Content, at: int, size: int, count: int, shift: int) -> Iterator[Entry]:
    data, place, seen = content.read(at, size), 0, 0
    while place < len(data):
        if data[place : place + 4] != b"PK\x01\x02" or place + 46 > len(data):
            raise BrokenZip(f"its directory breaks off after {seen} entries")
        fields = struct.unpack("<HHHHHHIIIHHHHHII", data[place + 4 : place + 46])
        made, _, flags, method, _, _, crc, packed, expanded, name, extra, comment, _, _, mode, header = fields
        behind = place + 46 + name
        raw, extras = data[place + 46 : behind], data[behind : behind + extra]
        expanded, packed, header = _wide(extras, expanded, packed, header)
        known = (raw, method, flags, crc, packed, expanded)
        start, faults = _local(content, header + shift, known)
        yield Entry(
            _name(raw), method, flags, crc, packed, expanded, header + shift, start,
            mode >> 16 if made >> 8 == 3 else 0, faults,
        )  # fmt: skip
        place, seen = behind + extra + comment, seen + 1
    if seen != count:
        raise BrokenZip(f"its directory holds {seen} entries and claims {count}")


def _name(raw: bytes) -> str:
    return raw.decode("utf-8", "backslashreplace")


def _wide(extras: bytes, *sizes: int) -> tuple[int, ...]:
    """Sizes and offset, from the zip64 field where they do not fit."""
    place, values = 0, list(sizes)
    while place + 4 <= len(extras):
        kind, length = struct.unpack("<HH", extras[place : place + 4])
        if kind == 1:
            body = extras[place + 4 : place + 4 + length]
            for index, value in enumerate(values):
                if value == 0xFFFFFFFF and len(body) >= 8:
                    values[index], body = uint(body[:8]), body[8:]
        place += 4 + length
    return tuple(values)


def _local(
    content: Content, at: int, known: tuple[bytes, int, int, int, int, int]
) -> tuple[int, tuple[str, ...]]:
    """Where the data begin, and in what the local header differs from the directory."""
    record = content.read(at, 30)
    if record[:4] != b"PK\x03\x04" or len(record) < 30:
        return -1, ("it has no local header",)
    flags, method, _, _, crc, packed, expanded, name, extra = struct.unpack("<HHHHIIIHH", record[6:30])
    rest = content.read(at + 30, name + extra)
    expanded, packed = _wide(rest[name:], expanded, packed)
    raw, kind, bits, sum_, size, full = known
    pairs = [("name", rest[:name], raw), ("method", method, kind), ("encryption", flags & 0x41, bits & 0x41)]
    if not flags & 8 or packed or crc:
        pairs += [("size", packed, size), ("expanded size", expanded, full), ("CRC", crc, sum_)]
    faults = tuple(
        f"{what} {_show(there)}, not {_show(here)}" for what, there, here in pairs if there != here
    )
    return at + 30 + name + extra, faults


def _show(value: Any) -> str:
    return repr(_name(value)) if isinstance(value, bytes) else str(value)


def expand(content: Content, entry: Entry) -> Iterator[bytes]:
    """The data of an entry in pieces, whatever its flags and CRC say.

    Raises:
        BrokenZip: The compressed data cannot be expanded.
    """
    at, left = entry.data, entry.packed
    unpack = _unpacker(entry.method)
    try:
        while left > 0:
            piece = content.read(at, min(left, _PIECE))
            if not piece:
                raise BrokenZip("its data break off")
            at, left = at + len(piece), left - len(piece)
            yield from unpack(piece)
    except (zlib.error, lzma.LZMAError, OSError, EOFError, ValueError) as error:
        raise BrokenZip(f"its data cannot be expanded: {error}") from None


def _unpacker(method: int) -> Any:
    """A function from compressed pieces to expanded ones of bounded size."""
    if method == _DEFLATED:
        inflate = zlib.decompressobj(-15)

        def deflated(piece: bytes) -> Iterator[bytes]:
            while piece:
                yield inflate.decompress(piece, 1 << 20)
                piece = inflate.unconsumed_tail

        return deflated
    if method in (_BZIP2, _LZMA):
        return _bounded(bz2.BZ2Decompressor() if method == _BZIP2 else _ZipLzma())
    return lambda piece: iter((piece,))


def _bounded(decompressor: Any) -> Any:
    def step(piece: bytes) -> Iterator[bytes]:
        while not decompressor.eof:
            out = decompressor.decompress(piece, 1 << 20)
            yield out
            piece = b""
            if decompressor.needs_input:
                return

    return step


class _ZipLzma:
    """LZMA as zip stores it: version, size and properties first, then raw data."""

    def __init__(self) -> None:
        self.head = b""
        self.inner: lzma.LZMADecompressor | None = None
        self.eof, self.needs_input = False, True

    def decompress(self, piece: bytes, most: int) -> bytes:
        """Up to ``most`` bytes."""
        if self.inner is None:
            self.head += piece
            if len(self.head) < 9:
                return b""
            size = uint(self.head[2:4])
            coder = lzma._decode_filter_properties(lzma.FILTER_LZMA1, self.head[4 : 4 + size])  # type: ignore[attr-defined]
            self.inner = lzma.LZMADecompressor(lzma.FORMAT_RAW, filters=[coder])
            piece = self.head[4 + size :]
        out: bytes = self.inner.decompress(piece, most)
        self.eof, self.needs_input = self.inner.eof, self.inner.needs_input
        return out
