"""Zip archives and all formats built on them: the directory against the entries, and every entry's content."""

from __future__ import annotations

import re
import stat
from collections.abc import Iterator

from gambeson.core.finding import Finding
from gambeson.supply.expanding import Bomb, expanded
from gambeson.supply.pickle_globals import is_importable
from gambeson.supply.pickle_skim import skim
from gambeson.supply.scanner import ScannerFacts, Visit, scanners
from gambeson.supply.sniffing import Format
from gambeson.supply.unpacking import escapes
from gambeson.supply.zip_directory import METHODS, BrokenZip, Directory, Entry, expand, read_directory

_FORMATS = (
    Format.ZIP, Format.NPZ, Format.TORCH_ZIP, Format.TORCH_SCRIPT, Format.TORCH_EXPORT, Format.SKOPS, Format.KERAS,
)  # fmt: skip
_STORAGE = re.compile(r"(.*/)?(data|constants|tensors|weights)/(\d+|weight_\d+|tensor_\d+|[\w.]+)")
_STREAMED = 8
_MOST_FAULTS = 5
_DESCRIPTOR = 24
_DIRECTORY_MARK = 0x10


@scanners.register(
    "zip",
    ScannerFacts(_FORMATS, "entries that readers would see differently, paths, bombs; and what they hold"),
)
def scan_zip(visit: Visit) -> Iterator[Finding]:
    """Everything that is wrong with an archive and its entries."""
    try:
        directory = read_directory(visit.content)
    except BrokenZip as error:
        yield visit.hit("scan.zip.broken", str(error))
        return
    yield from _frame(visit, directory)
    yield from _layout(visit, directory)
    for entry in directory.entries:
        yield from _entry(visit, entry)


def _frame(visit: Visit, directory: Directory) -> Iterator[Finding]:
    """Bytes before and behind the archive, and places that the directory does not know."""
    if directory.shift:
        yield visit.hit("scan.file.polyglot", f"{directory.shift} bytes before the archive", offset=0)
        front = visit.content.part(0, directory.shift)
        yield from visit.member("front", front)
    if directory.tail:
        at = visit.content.size - directory.tail
        yield visit.hit("scan.file.polyglot", f"{directory.tail} bytes behind the archive", offset=at)
        yield from visit.member("tail", visit.content.part(at, directory.tail))


def _layout(visit: Visit, directory: Directory) -> Iterator[Finding]:
    """Entries in the order of their place: no overlap, no gap, no name twice."""
    names: set[str] = set()
    for entry in directory.entries:
        if entry.name in names:
            yield visit.hit("scan.zip.overlap", f"two entries are called {entry.name!r}", offset=entry.header)
        names.add(entry.name)
    at = directory.shift
    for entry in sorted(directory.entries, key=lambda item: item.header):
        if entry.header < at:
            yield visit.hit(
                "scan.zip.overlap", f"{entry.name!r} begins within another entry", offset=entry.header
            )
            return
        if entry.header > at:
            yield from _gap(visit, at, entry.header)
        at = max(entry.data, 0) + entry.packed
        at += _descriptor(visit, at) if entry.flags & _STREAMED else 0
    if directory.start > at:
        yield from _gap(visit, at, directory.start)
    elif directory.start < at:
        yield visit.hit("scan.zip.overlap", "an entry reaches into the directory", offset=directory.start)


def _gap(visit: Visit, at: int, end: int) -> Iterator[Finding]:
    """Zeros are padding; anything else is hidden."""
    if visit.content.read(at, min(end - at, 1 << 16)).strip(b"\0"):
        yield visit.hit("scan.zip.hidden", f"{end - at} bytes", offset=at)


def _descriptor(visit: Visit, at: int) -> int:
    """Length of the record behind an entry that was written as a stream."""
    data = visit.content.read(at, _DESCRIPTOR)
    marked = 4 if data[:4] == b"PK\x07\x08" else 0
    for length in (12, 20):
        after = data[marked + length : marked + length + 4]
        following = visit.content.read(at + marked + length, 4) if len(after) < 4 else after
        if following[:2] == b"PK":
            return marked + length
    return marked + 12


def _entry(visit: Visit, entry: Entry) -> Iterator[Finding]:
    """One entry: its header, its path and what it holds."""
    for fault in entry.faults[:_MOST_FAULTS]:
        yield visit.hit("scan.zip.mismatch", f"{entry.name!r}: {fault}", offset=entry.header)
    if escapes(entry.name):
        yield visit.hit("scan.archive.path", repr(entry.name), offset=entry.header)
    kind = stat.S_IFMT(entry.mode)
    if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
        yield visit.hit("scan.archive.special", repr(entry.name), offset=entry.header)
    if entry.data < 0:
        return
    if entry.flags & 0x41:
        yield visit.hit("scan.archive.closed", f"{entry.name!r} is marked as encrypted", offset=entry.header)
    if entry.method not in METHODS:
        detail = f"{entry.name!r} is compressed by method {entry.method}"
        yield visit.hit("scan.archive.closed", detail, offset=entry.header)
    elif entry.method == 0:
        yield from _stored(visit, entry)
    else:
        yield from _packed(visit, entry)


def _stored(visit: Visit, entry: Entry) -> Iterator[Finding]:
    if entry.expanded != entry.packed:
        yield visit.hit(
            "scan.zip.mismatch", f"{entry.name!r} is stored and has two sizes", offset=entry.header
        )
    content = visit.content.part(entry.data, entry.packed)
    if visit.format is not Format.ZIP and _STORAGE.fullmatch(entry.name):
        if content.head[:1] == b"\x80" and any(is_importable(*names) for names in skim(content).imports):
            yield from visit.member(entry.name, content)
        return
    if entry.packed <= 64 << 20:
        import zlib

        if zlib.crc32(content.read(0, entry.packed)) != entry.crc:
            yield visit.hit("scan.zip.checksum", repr(entry.name), offset=entry.header)
    if content.size:
        yield from visit.member(entry.name, content)


def _packed(visit: Visit, entry: Entry) -> Iterator[Finding]:
    try:
        with expanded(visit, entry.packed, expand(visit.content, entry)) as out:
            if out.error:
                yield visit.hit("scan.archive.broken", f"{entry.name!r}: {out.error}", offset=entry.header)
            elif out.content.size != entry.expanded:
                detail = f"{entry.name!r} expands to {out.content.size} bytes, not {entry.expanded}"
                yield visit.hit("scan.zip.mismatch", detail, offset=entry.header)
            elif out.crc != entry.crc:
                yield visit.hit("scan.zip.checksum", repr(entry.name), offset=entry.header)
            if out.content.size:
                yield from visit.member(entry.name, out.content)
    except Bomb:
        yield visit.hit("scan.archive.bomb", repr(entry.name), offset=entry.header)
