"""The opcodes of pickle protocols 0 to 5 as regular expressions: what to pass over, and one token."""

from __future__ import annotations

import re
from functools import cache

_PLAIN = rb"[()\]}012NRabdelostu\x81\x85-\x89\x8f-\x92\x94]"
_FIXED = rb"[hKq].|M..|[Jjr].{4}|G.{8}|\x95.{8}"
_LINES = rb"[FILSVgp][^\n]*+\n"

LONG_ARGUMENTS = {
    ord("X"): 4, 0x8D: 8, ord("B"): 4, 0x8E: 8, 0x96: 8, ord("T"): 4, 0x8B: 4, 0x8C: 1, ord("C"): 1, ord("U"): 1,
    0x8A: 1,
}  # fmt: skip
"""Opcodes whose argument has its length before it: bytes of that length, little-endian."""

EXTENSIONS = {0x82: 1, 0x83: 2, 0x84: 4}
"""Opcodes that name an object by a number, and how many bytes that has."""


def _counted(code: bytes, width: int) -> bytes:
    """An opcode whose argument, shorter than 256 bytes, has its length before it."""
    sizes = (re.escape(n.to_bytes(width, "little")) + (b".{%d}" % n if n else b"") for n in range(256))
    return re.escape(code) + b"(?:" + b"|".join(sizes) + b")"


def _boring() -> bytes:
    counted = [_counted(code, LONG_ARGUMENTS[code[0]]) for code in (b"\x8c", b"X", b"C", b"U", b"\x8a", b"B")]
    return b"(?:" + b"|".join((_PLAIN, _FIXED, *counted, _LINES)) + b")"


@cache
def pass_over() -> re.Pattern[bytes]:
    """Every opcode in a row that imports nothing and has a short argument; never fails, may match nothing.

    Possessive: the engine keeps no way back, so a run of any length costs no memory.
    """
    return re.compile(_boring() + b"*+", re.DOTALL)


@cache
def token() -> re.Pattern[bytes]:
    """One such opcode with its argument."""
    return re.compile(_boring(), re.DOTALL)
