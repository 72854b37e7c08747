"""Tar archives: paths, links and devices, and every file within."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from gambeson.core.finding import Finding
from gambeson.supply.content import Content
from gambeson.supply.scanner import ScannerFacts, Visit, scanners
from gambeson.supply.sniffing import Format
from gambeson.supply.unpacking import escapes

_BLOCK = 512
_LONGEST_HEADER = 1 << 20
_FILES, _FOLDER, _LONG_NAME, _LONG_LINK, _PAX, _PAX_ALL = b"0\0\x007", b"5", b"L", b"K", b"x", b"g"
_SPECIAL = {b"1": "a hard link", b"2": "a symbolic link", b"3": "a device", b"4": "a device", b"6": "a FIFO"}


class BrokenTar(ValueError):
    """A header that is none."""


@dataclass(frozen=True, slots=True)
class Member:
    """One entry: ``data`` is where its bytes begin."""

    name: str
    kind: bytes
    link: str
    header: int
    data: int
    size: int


@scanners.register(
    "tar", ScannerFacts((Format.TAR,), "paths, links and devices of tar archives; and what they hold")
)
def scan_tar(visit: Visit) -> Iterator[Finding]:
    """Everything that is wrong with an archive and its entries."""
    try:
        for member in read_members(visit.content):
            if escapes(member.name):
                yield visit.hit("scan.archive.path", repr(member.name), offset=member.header)
            if what := _SPECIAL.get(member.kind):
                detail = (
                    f"{member.name!r} is {what} to {member.link!r}"
                    if member.link
                    else f"{member.name!r} is {what}"
                )
                yield visit.hit("scan.archive.special", detail, offset=member.header)
            elif member.kind in _FILES and member.size:
                yield from visit.member(member.name, visit.content.part(member.data, member.size))
            elif member.kind not in (_FOLDER, *(_FILES[i : i + 1] for i in range(len(_FILES)))):
                detail = f"{member.name!r} is of kind {member.kind!r}"
                yield visit.hit("scan.archive.special", detail, offset=member.header)
    except BrokenTar as error:
        yield visit.hit("scan.archive.broken", str(error))


def read_members(content: Content) -> Iterator[Member]:
    """Every entry with its full name.

    Raises:
        BrokenTar: A header has a wrong checksum, or an entry reaches over the end.
    """
    at, longer = 0, dict[str, str]()
    while at < content.size:
        block = content.read(at, _BLOCK)
        if not block.strip(b"\0"):
            yield from _rest(content, at)
            return
        member = _header(block, at, longer)
        after = member.data + -(-member.size // _BLOCK) * _BLOCK
        if member.data + member.size > content.size:
            raise BrokenTar(f"{member.name!r} reaches over the end")
        if member.kind in (_LONG_NAME, _LONG_LINK, _PAX, _PAX_ALL):
            body = content.read(member.data, min(member.size, _LONGEST_HEADER))
            longer |= _longer(member.kind, body)
        else:
            yield member
            longer = {}
        at = after


def _rest(content: Content, at: int) -> Iterator[Member]:
    """Behind the end of an archive nothing but zeros may follow."""
    while at < content.size:
        if content.read(at, 1 << 20).strip(b"\0"):
            raise BrokenTar(f"bytes follow the end of the archive near {at}")
        at += 1 << 20
    return
    yield  # an empty generator


def _header(block: bytes, at: int, longer: dict[str, str]) -> Member:
    if len(block) < _BLOCK:
        raise BrokenTar(f"a header breaks off at {at}")
    total = sum(block[:148]) + 8 * 32 + sum(block[156:])
    if _number(block[148:156]) != total:
        raise BrokenTar(f"a header at {at} has a wrong checksum")
    name, prefix = _text(block[:100]), _text(block[345:500]) if block[257:263] == b"ustar\0" else ""
    name = longer.get("path", f"{prefix}/{name}" if prefix else name)
    size = int(longer["size"]) if longer.get("size", "").isdigit() else _number(block[124:136])
    link = longer.get("linkpath", _text(block[157:257]))
    kind = block[156:157]
    return Member(name, kind, link, at, at + _BLOCK, 0 if kind in (_FOLDER, *_SPECIAL) else size)


def _text(field: bytes) -> str:
    return field.partition(b"\0")[0].decode("utf-8", "backslashreplace")


def _number(field: bytes) -> int:
    """An octal number, or a binary one where the first bit is set."""
    if field[:1] >= b"\x80":
        return int.from_bytes(field[1:], "big")
    digits = field.strip(b" \0")
    try:
        return int(digits or b"0", 8)
    except ValueError:
        raise BrokenTar(f"{field!r} is no octal number") from None


def _longer(kind: bytes, body: bytes) -> dict[str, str]:
    """Names and sizes that do not fit into a header."""
    if kind in (_LONG_NAME, _LONG_LINK):
        return {"path" if kind == _LONG_NAME else "linkpath": _text(body)}
    found: dict[str, str] = {}
    while body:
        length, _, rest = body.partition(b" ")
        size = int(length) if length.isdigit() and len(length) < 10 else 0
        record = rest[: size - len(length) - 1] if size > len(length) + 1 else b""
        key, equals, value = record.partition(b"=")
        if not equals:
            break
        found[key.decode("utf-8", "backslashreplace")] = value.rstrip(b"\n").decode(
            "utf-8", "backslashreplace"
        )
        body = body[size:]
    return found
