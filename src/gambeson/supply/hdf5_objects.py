"""Where an HDF5 file reaches into other files: external links, external and virtual data, found without its library.

Groups and datasets are found by the signatures of their nodes rather than by following the tree, so that nothing is
missed in a part that the tree does not lead to; what has no signature (object headers of version 1) is found through
the nodes that point to it.
Source: HDF5 File Format Specification 3.0, sections II, III.C, III.G, IV.A.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from gambeson.supply.content import Content, uint

_EXTERNAL_FILES, _LINK, _LAYOUT, _CONTINUATION = 7, 6, 8, 16
_VIRTUAL = 3
_OUTSIDE = 64
"""Kinds of links from here on are resolved outside the file."""
_MOST_OBJECTS, _MOST_MESSAGES, _MOST_HEAP, _MOST_HEADERS = 200_000, 500_000, 4 << 20, 256 << 20
_LARGEST = 1 << 20
_LINK_START = re.compile(rb"(?=\x01[\x00-\x1f])")


@dataclass(slots=True)
class _Walk:
    content: Content
    base: int
    pending: list[int] = field(default_factory=list)
    seen: set[int] = field(default_factory=set)
    heap: int = 0
    headers: int = 0
    messages: int = 0

    @property
    def spent(self) -> bool:
        """Whether the file holds more than a scan reads."""
        return (
            len(self.seen) >= _MOST_OBJECTS or self.messages > _MOST_MESSAGES or self.heap > _MOST_HEAP
            or self.headers > _MOST_HEADERS
        )  # fmt: skip

    def add(self, address: int) -> None:
        """An object header to look at, unless it was."""
        at = self.base + address
        if at < self.content.size and at not in self.seen and len(self.seen) < _MOST_OBJECTS:
            self.seen.add(at)
            self.pending.append(at)


def reaches_outside(content: Content) -> Iterator[tuple[int, str]]:
    """Offset and words for every place that reads another file; a name that is not there is left out.

    Args:
        content: The whole file, with a superblock of version 0 to 3 whose addresses have 8 bytes.
    """
    head = content.read(0, 96)
    new = len(head) == 96 and head[8] >= 2
    if len(head) < 96 or head[9 if new else 13] != 8:
        yield 0, "addresses of a size that is not read here"
        return
    shift = 4 if head[8] == 1 else 0
    walk = _Walk(content, uint(head[12:20] if new else head[24 + shift : 32 + shift]))
    walk.add(uint(head[36:44] if new else head[64 + shift : 72 + shift]))
    for at in _places(content, b"SNOD"):
        _entries(walk, at)
    for at in _places(content, b"FHDB"):
        yield from _dense(walk, at)
    for at in _places(content, b"OHDR"):
        yield from _new_header(walk, at)
    while walk.pending:
        yield from _old_header(walk, walk.pending.pop())
    if walk.spent:
        yield 0, "more objects than a scan reads"


def _places(content: Content, signature: bytes) -> Iterator[int]:
    for base in range(0, content.size, _LARGEST):
        data = content.read(base, _LARGEST + len(signature) - 1)
        place = data.find(signature)
        while place >= 0:
            yield base + place
            place = data.find(signature, place + len(signature))


def _entries(walk: _Walk, at: int) -> None:
    """A node of an old group: 40 bytes an entry, the second field of which is an object header's address."""
    head = walk.content.read(at, 8)
    if head[4:6] == b"\x01\0":
        data = walk.content.read(at + 8, 40 * uint(head[6:8]))
        for place in range(0, len(data) - 39, 40):
            walk.add(uint(data[place + 8 : place + 16]))


def _dense(walk: _Walk, at: int) -> Iterator[tuple[int, str]]:
    """A block of the heap in which large groups keep their links; attributes lie in such blocks as well."""
    heap = walk.content.read(walk.base + uint(walk.content.read(at + 5, 8)), 128)
    if heap[:5] != b"FRHP\0":
        return
    if uint(heap[7:9]):
        yield at, "links that are compressed"
        return
    data = walk.content.read(at, min(uint(heap[120:128]), _LARGEST))
    walk.heap += len(data)
    if walk.spent:
        return
    for match in _LINK_START.finditer(data):
        yield from _link(walk, data, at, match.start())


def _link(walk: _Walk, data: bytes, at: int, place: int = 0) -> Iterator[tuple[int, str]]:
    """A link message; anything that is none is left alone.

    Args:
        walk: Collects the object that a link within the file leads to.
        data: Holds the message.
        at: Offset of ``data`` in the file.
        place: Where in ``data`` the message begins.
    """
    head = data[place : place + 24]
    if len(head) < 4 or head[0] != 1 or head[1] > 0x1F:
        return
    flags = head[1]
    kind = head[2] if flags & 8 else 0
    skip = (3 if flags & 8 else 2) + (8 if flags & 4 else 0) + (1 if flags & 16 else 0)
    width = 1 << (flags & 3)
    length, begin = uint(head[skip : skip + width]), place + skip + width
    end = begin + length
    if not length or end >= len(data) or data.find(b"\0", begin, end) >= 0:
        return
    if kind == 0 and end + 8 <= len(data):
        walk.add(uint(data[end : end + 8]))
    elif kind >= _OUTSIDE:
        size = uint(data[end : end + 2])
        value = data[end + 2 : end + 2 + size]
        if len(value) == size and (kind > _OUTSIDE or (value[:1] == b"\0" and value.count(b"\0") == 3)):
            yield at + place, f"a link to {_words(value[1:].split(bytes(1))[0])}"


def _new_header(walk: _Walk, at: int) -> Iterator[tuple[int, str]]:
    head = walk.content.read(at, 40)
    if len(head) < 8 or head[4] != 2 or head[5] & 0xC0:
        return
    flags = head[5]
    place = 6 + (16 if flags & 0x20 else 0) + (4 if flags & 0x10 else 0)
    width = 1 << (flags & 3)
    size = uint(head[place : place + width])
    yield from _messages(walk, at + place + width, size, 6 if flags & 4 else 4)


def _old_header(walk: _Walk, at: int) -> Iterator[tuple[int, str]]:
    head = walk.content.read(at, 16)
    if head[:2] == b"\x01\0":
        yield from _messages(walk, at + 16, uint(head[8:12]), 8)


def _messages(walk: _Walk, at: int, size: int, width: int) -> Iterator[tuple[int, str]]:
    """The messages of a header and of its continuations; nothing where they do not add up.

    Args:
        walk: Collects the objects that links lead to.
        at: The first message.
        size: Bytes of all.
        width: Bytes before each message's data: 8 in version 1; 4 or, with their order of creation, 6 in version 2.
    """
    blocks, found = [(at, size)], list[tuple[int, str]]()
    while blocks and not walk.spent:
        at, size = blocks.pop()
        data = walk.content.read(at, min(size, _LARGEST))
        walk.headers += len(data)
        place = 0
        while len(data) - place >= width:
            kind = uint(data[place : place + 2]) if width == 8 else data[place]
            length = uint(data[place + 2 : place + 4] if width == 8 else data[place + 1 : place + 3])
            body = data[place + width : place + width + length]
            walk.messages += 1
            if len(body) < length or walk.spent:
                return
            if kind == _CONTINUATION and length >= 16:
                start, more = walk.base + uint(body[:8]), uint(body[8:16])
                blocks.append((start, more) if width == 8 else (start + 4, max(more - 8, 0)))
            else:
                found += _message(walk, kind, body, at + place)
            place += width + length
    yield from found


def _message(walk: _Walk, kind: int, body: bytes, at: int) -> Iterator[tuple[int, str]]:
    if kind == _LINK:
        yield from _link(walk, body, at)
    elif kind == _EXTERNAL_FILES and body[:1] == b"\x01":
        yield at, f"data in {_words(_external_name(walk, body))}"
    elif kind == _LAYOUT and body[:1] >= b"\x04" and body[1:2] == bytes([_VIRTUAL]):
        yield at, "data that are put together from other files"


def _external_name(walk: _Walk, body: bytes) -> bytes:
    """The first file of a list; its name lies in a heap of its own."""
    heap = walk.content.read(walk.base + uint(body[8:16]), 32)
    name = walk.content.read(walk.base + uint(heap[24:32]) + uint(body[16:24]), 200)
    return name.partition(b"\0")[0] if heap[:4] == b"HEAP" else b""


def _words(name: bytes) -> str:
    return repr(name[:100].decode("utf-8", "backslashreplace")) if name else "another file"
