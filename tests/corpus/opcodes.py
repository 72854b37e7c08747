"""Pickles put together opcode by opcode, so that nothing hostile ever exists as an object."""

from __future__ import annotations

import struct

PROTO = {n: b"\x80" + bytes([n]) for n in range(2, 6)}
STOP = b"."
MARK = b"("


def short(text: str) -> bytes:
    """SHORT_BINUNICODE."""
    data = text.encode()
    return b"\x8c" + bytes([len(data)]) + data


def long(text: str) -> bytes:
    """BINUNICODE."""
    data = text.encode()
    return b"X" + struct.pack("<I", len(data)) + data


def binary(data: bytes) -> bytes:
    """BINBYTES."""
    return b"B" + struct.pack("<I", len(data)) + data


def named(module: str, name: str) -> bytes:
    """GLOBAL."""
    return f"c{module}\n{name}\n".encode()


def stacked(module: str, name: str) -> bytes:
    """STACK_GLOBAL, as protocol 4 writes it."""
    return short(module) + b"\x94" + short(name) + b"\x94\x93\x94"


def call(module: str, name: str, argument: str = "true", protocol: int = 4) -> bytes:
    """A whole pickle that calls a function with one string."""
    if protocol < 2:
        return named(module, name) + f"(S'{argument}'\ntR.".encode()
    if protocol < 4:
        return PROTO[protocol] + named(module, name) + long(argument) + b"\x85R."
    body = stacked(module, name) + short(argument) + b"\x94\x85\x94R\x94."
    return PROTO[protocol] + b"\x95" + struct.pack("<Q", len(body)) + body


EVIL = call("os", "system")
HARMLESS = b"\x80\x04}\x94" + short("a") + b"\x94K\x01s."
