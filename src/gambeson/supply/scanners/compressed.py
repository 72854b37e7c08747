"""Compressed files: what comes out is scanned, and what does not come out is a finding."""

from __future__ import annotations

import bz2
import lzma
import zlib
from collections.abc import Iterator
from typing import Any

from gambeson.core.finding import Finding
from gambeson.supply.content import Content
from gambeson.supply.expanding import Bomb, expanded
from gambeson.supply.recognising import EXPECTED, recognise
from gambeson.supply.scanner import ScannerFacts, Visit, scanners
from gambeson.supply.sniffing import Format

_PIECE = 1 << 18
_SUFFIXES = (".gz", ".bz2", ".xz", ".lzma", ".z", ".lz4", ".zlib")


class _Trailing(ValueError):
    """Bytes follow the compressed data."""


@scanners.register(
    "compressed",
    ScannerFacts(
        (Format.GZIP, Format.ZLIB, Format.BZIP2, Format.XZ, Format.LZMA, Format.LZ4),
        "what gzip, zlib, bzip2, xz, lzma and lz4 data expand to",
    ),
)
def scan_compressed(visit: Visit) -> Iterator[Finding]:
    """Expand and follow."""
    try:
        new = _decompressor(visit.format)
    except ImportError:
        yield visit.hit(
            "scan.archive.closed", "lz4 data, and the package lz4 is missing: pip install 'gambeson[scan]'"
        )
        return
    try:
        with expanded(visit, visit.content.size, _pieces(visit.content, new)) as out:
            if (
                out.error
                and _by_chance(visit)
                and recognise(out.content, "") in (Format.UNKNOWN, Format.EMPTY)
            ):
                return
            if out.error:
                yield visit.hit("scan.archive.broken", out.error)
            if out.content.size:
                yield from visit.member(_inner_name(visit.name), out.content)
    except Bomb:
        yield visit.hit("scan.archive.bomb", "the compressed data expand too far")


def _by_chance(visit: Visit) -> bool:
    """Two bytes are a weak mark: data of another kind can begin with them."""
    suffix = "." + visit.name.rpartition(".")[2].lower()
    return visit.format in (Format.ZLIB, Format.LZMA) and suffix not in EXPECTED and suffix not in _SUFFIXES


def _inner_name(name: str) -> str:
    for suffix in _SUFFIXES:
        if name.lower().endswith(suffix):
            return name[: -len(suffix)]
    return name


def _decompressor(kind: Format) -> Any:
    """A function that makes a fresh decompressor: ``decompress``, ``eof``, ``unused_data``."""
    if kind is Format.LZ4:
        import lz4.frame

        return lambda: _Pending(lz4.frame.LZ4FrameDecompressor())
    if kind in (Format.GZIP, Format.ZLIB):
        return lambda: _Inflate(31 if kind is Format.GZIP else 15)
    return lambda: _Pending(bz2.BZ2Decompressor() if kind is Format.BZIP2 else lzma.LZMADecompressor())


class _Inflate:
    """zlib's decompressor under the manners of the others."""

    def __init__(self, bits: int) -> None:
        self.inner, self.rest = zlib.decompressobj(bits), b""

    @property
    def eof(self) -> bool:
        """Whether its end was reached."""
        return self.inner.eof

    @property
    def unused(self) -> bytes:
        """What lies behind the end."""
        return self.inner.unused_data

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Expanded pieces of bounded size."""
        while data and not self.inner.eof:
            yield self.inner.decompress(data, 1 << 20)
            data = self.inner.unconsumed_tail


class _Pending:
    """A decompressor that keeps input it has not used yet."""

    def __init__(self, inner: Any) -> None:
        self.inner = inner

    @property
    def eof(self) -> bool:
        """Whether its end was reached."""
        return bool(self.inner.eof)

    @property
    def unused(self) -> bytes:
        """What lies behind the end."""
        return self.inner.unused_data or b""

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Expanded pieces of bounded size."""
        yield self.inner.decompress(data, 1 << 20)
        while not self.inner.eof and not self.inner.needs_input:
            yield self.inner.decompress(b"", 1 << 20)


def _pieces(content: Content, new: Any) -> Iterator[bytes]:
    """Expanded data of every frame in a row; raises ``ValueError`` where the data are no such frames."""
    state, at, data = new(), 0, b""
    try:
        while data or at < content.size:
            if not data:
                data = content.read(at, _PIECE)
                at += len(data)
            yield from state.feed(data)
            data = b""
            if state.eof:
                data, state = state.unused, new()
                while not data.strip(b"\0") and at < content.size:
                    data = content.read(at, _PIECE)
                    at += len(data)
                if not data.strip(b"\0"):
                    return
    except (zlib.error, lzma.LZMAError, RuntimeError) as error:
        raise ValueError(str(error)) from None
    if not state.eof:
        raise EOFError("it ends too early")
