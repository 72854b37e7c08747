"""How a piece lies in the store: whole, or as a difference from another one; every byte is covered by a check."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from gambeson.core.errors import IntegrityError
from gambeson.core.ports import Objects
from gambeson.supply.deltas import apply, difference

_WHOLE, _DIFFERENCE = b"\x00", b"\x01"
_CHECK = 8
_MOST = 4
"""Pieces that one is the difference from."""


def frame(content: bytes, objects: Objects, likes: Sequence[str] = ()) -> bytes:
    """A piece as it is stored.

    Args:
        content: The piece.
        objects: Where the likes lie.
        likes: Names of pieces that may be similar, the most promising first.

    Returns:
        The difference from the first one, or else from all of them together, where that takes less than half of the
        room; else the whole piece.
    """
    known = [name for name in likes if objects.has(name)]
    for names in (known[:1], known)[: len(known)]:
        bases = _roots(names, objects)
        change = difference(b"".join(load_piece(base, objects) for base in bases), content)
        if len(change) < len(content) // (4 if len(names) < len(known) else 2):
            head = bytes([len(bases)]) + b"".join(map(bytes.fromhex, bases))
            return _seal(_DIFFERENCE + head + change)
    return _seal(_WHOLE + content)


def load_piece(name: str, objects: Objects) -> bytes:
    """A piece, checked against its name and against the check of its stored form.

    Raises:
        IntegrityError: It, or a piece that it differs from, is missing or was changed.
    """
    kind, body = _open(name, objects.load(name))
    content = body
    if kind == _DIFFERENCE:
        bases = _bases(body)
        content = apply(b"".join(_load_whole(base, objects) for base in bases), body[1 + 32 * len(bases) :])
    if hashlib.sha256(content).hexdigest() != name:
        raise _damaged(name)
    return content


def bases_of(name: str, objects: Objects) -> list[str]:
    """The pieces that this one is stored as a difference from; none for a whole one.

    Raises:
        IntegrityError: The piece is missing or was changed.
    """
    kind, body = _open(name, objects.load(name))
    return _bases(body) if kind == _DIFFERENCE else []


def _roots(names: Sequence[str], objects: Objects) -> list[str]:
    """Whole pieces in place of those that are differences themselves, so that no chain grows."""
    return list(dict.fromkeys(root for name in names for root in bases_of(name, objects) or [name]))[:_MOST]


def _bases(body: bytes) -> list[str]:
    return [body[1 + 32 * i : 33 + 32 * i].hex() for i in range(body[0])]


def _load_whole(name: str, objects: Objects) -> bytes:
    kind, content = _open(name, objects.load(name))
    if kind != _WHOLE:
        raise _damaged(name)
    return content


def _seal(content: bytes) -> bytes:
    return content + hashlib.blake2b(content, digest_size=_CHECK).digest()


def _open(name: str, stored: bytes) -> tuple[bytes, bytes]:
    content = stored[:-_CHECK]
    kind = content[:1]
    if (
        _seal(content) != stored
        or kind not in (_WHOLE, _DIFFERENCE)
        or (kind == _DIFFERENCE and len(content) < 34)
    ):
        raise _damaged(name)
    return kind, content[1:]


def _damaged(name: str) -> IntegrityError:
    return IntegrityError(
        f"The piece {name[:16]} of the store was changed.",
        remedy="restore it from a copy of the store: a piece of the same name is the same content",
    )
