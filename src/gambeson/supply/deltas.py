"""A piece as the difference from one that is stored already: copies and new bytes.

Rows that change all over a table touch every piece of it; a difference costs little more than the changed rows.
Source: MacDonald, "File system support for delta compression", 2000 (copy and insert over a block index).
"""

from __future__ import annotations

import numpy as np

from gambeson.core.errors import IntegrityError

_BLOCK = 16


def difference(base: bytes, target: bytes) -> bytes:
    """Instructions that make ``target`` from ``base``; :func:`apply` carries them out."""
    index: dict[bytes, int] = {}
    for place in range(0, len(base) - _BLOCK + 1, _BLOCK):
        index.setdefault(base[place : place + _BLOCK], place)
    old, new = np.frombuffer(base, np.uint8), np.frombuffer(target, np.uint8)
    out = bytearray()
    at = fresh = shift = 0
    while at + _BLOCK <= len(target):
        key = target[at : at + _BLOCK]
        place = at + shift if base[max(at + shift, 0) : at + shift + _BLOCK] == key else index.get(key, -1)
        if place < 0:
            at += 1
            continue
        while at > fresh and place > 0 and base[place - 1] == target[at - 1]:
            at, place = at - 1, place - 1
        length = _common(old[place:], new[at:])
        _insert(out, target[fresh:at])
        _number(out, length << 1 | 1)
        _number(out, place)
        shift = place - at
        at = fresh = at + length
    _insert(out, target[fresh:])
    return bytes(out)


def apply(base: bytes, instructions: bytes) -> bytes:
    """Carry out what :func:`difference` wrote.

    Raises:
        IntegrityError: The instructions are damaged, or belong to another base.
    """
    out = bytearray()
    at = 0
    while at < len(instructions):
        head, at = _read(instructions, at)
        length = head >> 1
        if head & 1:
            place, at = _read(instructions, at)
            piece = base[place : place + length]
        else:
            piece = instructions[at : at + length]
            at += length
        if len(piece) != length or not length:
            raise IntegrityError("The difference between two pieces is damaged.")
        out += piece
    return bytes(out)


def _common(left: np.ndarray, right: np.ndarray) -> int:
    """Length of the common beginning."""
    size, done = min(len(left), len(right)), 0
    while done < size:
        step = min(4096, size - done)
        wrong = left[done : done + step] != right[done : done + step]
        if wrong.any():
            return done + int(wrong.argmax())
        done += step
    return size


def _insert(out: bytearray, piece: bytes) -> None:
    if piece:
        _number(out, len(piece) << 1)
        out += piece


def _number(out: bytearray, value: int) -> None:
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)


def _read(data: bytes, at: int) -> tuple[int, int]:
    value = 0
    for shift, byte in enumerate(data[at : at + 6]):
        value |= (byte & 0x7F) << 7 * shift
        if byte < 0x80:
            return value, at + shift + 1
    raise IntegrityError("The difference between two pieces is damaged.")
