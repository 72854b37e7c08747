"""What lies on the stack of the pickle machine instead of real objects, and the size of an array's element."""

from __future__ import annotations

import re
from typing import Any, NamedTuple

_DTYPE = re.compile(r"[<>|=]?(?:(?P<kind>[biufcmMSUVO])(?P<width>\d{0,9}))")


class Imported(NamedTuple):
    """A module's name, as it lies on the stack."""

    module: str
    name: str


class Blob(NamedTuple):
    """Long bytes or text, by place."""

    offset: int
    length: int


class Made:
    """What a call would have made."""

    __slots__ = ("arguments", "callee", "state")

    def __init__(self, callee: object, arguments: object) -> None:
        self.callee, self.arguments, self.state = callee, arguments, None


class Broken(Exception):
    """The real machine would stop here, too."""


def item_size(dtype: Any) -> int | None:
    """Bytes of one element; ``None`` for objects.

    A dtype's state can change its size, so that one counts where it is given.
    """
    code = dtype.arguments[0]
    found = _DTYPE.fullmatch(code)
    if dtype.callee != Imported("numpy", "dtype") or not found:
        raise Broken(f"an array of dtype {code!r:.60}")
    state = dtype.state
    if found["kind"] == "O" or (state is not None and len(state) > 7 and state[7] & 1):
        return None
    if state is not None and len(state) > 5 and state[5] != -1:
        if type(state[5]) is not int or state[5] < 0:
            raise Broken(f"an element of {state[5]!r:.20} bytes")
        return state[5]
    width = int(found["width"] or 0)
    return width * 4 if found["kind"] == "U" else width
