"""The stack machine of pickle without its effects: calls make placeholders, imports are names.

Slower than the skim and exact: it finds what is hidden from that one (names taken through DUP, a memo written twice,
classes that are changed) and knows where joblib puts the raw bytes of arrays and what torch stores outside.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from gambeson.supply.content import Content, uint
from gambeson.supply.pickle_opcodes import EXTENSIONS, LONG_ARGUMENTS
from gambeson.supply.pickle_skim import NDARRAY_WRAPPER, Reading
from gambeson.supply.pickle_values import Blob, Broken, Imported, Made, item_size

_WINDOW = 1 << 18
_LONGEST_LINE = 1 << 16
_KEPT = 1 << 16
_MOST = 1_000
_UNPICKLES = {("torch.storage", "_load_from_bytes")}
_TENSORS = ("torch._utils", "torch._tensor", "torch")
_DEEPEST = 16
_TEXTS = frozenset((0x58, 0x8C, 0x8D, 0x54, 0x55))
_MARK: Any = object()


def run_machine(content: Content, start: int = 0, *, most: int = 20_000_000) -> Reading:
    """Read one pickle up to STOP, or up to where it breaks off.

    Args:
        content: Where it lies.
        start: Its first byte.
        most: Opcodes to follow; beyond, the pickle counts as broken.
    """
    machine = _Machine(content, start)
    found = machine.found
    try:
        for _ in range(most):
            if machine.step():
                return found
        found.broken = f"more than {most:,} opcodes"
    except Broken as error:
        found.broken = str(error)
    except (LookupError, TypeError, ValueError, AttributeError, OverflowError):
        found.broken = "the stack does not hold what an opcode needs"
    found.end = machine.at
    return found


class _Machine:
    def __init__(self, content: Content, start: int, depth: int = 0, found: Reading | None = None) -> None:
        self.content, self.at, self.depth = content, start, depth
        self.found = Reading(start, start) if found is None else found
        self.buffer, self.base = b"", start
        self.stack: list[Any] = []
        self.memo: dict[int, Any] = {}

    def take(self, size: int) -> bytes:
        """The next bytes of the pickle."""
        place = self.at - self.base
        if not 0 <= place <= len(self.buffer) - size:
            self.buffer, self.base, place = self.content.read(self.at, max(_WINDOW, size)), self.at, 0
        data = self.buffer[place : place + size]
        if len(data) < size:
            raise Broken("it ends before STOP")
        self.at += size
        return data

    def line(self) -> bytes:
        """The next line, without its end."""
        data = self.content.read(self.at, _LONGEST_LINE)
        end = data.find(b"\n")
        if end < 0:
            end = self.content.find(b"\n", self.at) - self.at
            if end < 0:
                raise Broken("a line without an end")
        self.at += end + 1
        return data[:end]

    def counted(self, width: int, *, text: bool) -> Any:
        """An argument with its length before it; by place where it is bytes or long."""
        length = uint(self.take(width))
        if text and length <= _KEPT:
            return self.take(length).decode("utf-8", "backslashreplace")
        blob = Blob(self.at, length)
        if self.at + length > self.content.size:
            raise Broken("an argument reaches over the end")
        self.at += length
        return blob

    def inner_pickle(self) -> None:
        """Follow a pickle that lies within this one, and go on behind it."""
        if self.depth >= _DEEPEST:
            raise Broken("pickles within pickles without an end")
        inner = _Machine(self.content, self.at, self.depth + 1, self.found)
        while not inner.step():
            self.at = inner.at
        self.at = inner.at

    def step(self) -> bool:
        """Follow one opcode; whether it was STOP."""
        begin = self.at
        code = self.take(1)[0]
        if code == 0x2E:
            self.stack.pop()
            self.found.end = self.at
            return True
        action = _ACTIONS.get(code)
        if action is None:
            self.at = begin
            raise Broken(f"no opcode {code:#04x}")
        action(self, code, begin)
        return False

    def pop_mark(self) -> list[Any]:
        """What lies above the last mark; the mark is gone."""
        place = len(self.stack) - 1
        while self.stack[place] is not _MARK:
            place -= 1
            if place < 0:
                raise Broken("a mark is missing")
        items = self.stack[place + 1 :]
        del self.stack[place:]
        return items

    def pop(self) -> Any:
        """The top of the stack, which must be a value."""
        value = self.stack.pop()
        if value is _MARK:
            raise Broken("a mark where a value must be")
        return value

    def imported(self, module: Any, name: Any, at: int) -> None:
        """Push a name that is imported."""
        self.found.add_import(module, name, at)
        self.stack.append(Imported(module, name))

    def call(self, callee: Any, arguments: Any, at: int) -> None:
        """Push what a call would make."""
        self.found.calls += 1
        if not isinstance(callee, Imported):
            self.hide(at, "something else than an imported name is called")
        elif tuple(callee) in _UNPICKLES:
            self.nested(arguments, at)
        self.stack.append(Made(callee, arguments))

    def nested(self, arguments: Any, at: int) -> None:
        """Remember bytes that would be unpickled in turn."""
        value = arguments[0] if isinstance(arguments, tuple) and arguments else None
        if isinstance(value, Blob) and len(self.found.payloads) < _MOST:
            self.found.payloads.append((value.offset, value.length))
        else:
            self.hide(at, "bytes are unpickled that are not in the file")

    def hide(self, at: int, how: str) -> None:
        """Report that it is not plain what is called."""
        if len(self.found.obscured) < _MOST:
            self.found.obscured[at] = how


def _text(value: bytes) -> str:
    return value.decode("utf-8", "backslashreplace")


def _push(value: Any) -> Callable[[_Machine, int, int], None]:
    return lambda machine, code, at: machine.stack.append(value)


def _fresh(kind: type) -> Callable[[_Machine, int, int], None]:
    return lambda machine, code, at: machine.stack.append(kind())


def _integer(width: int, signed: bool) -> Callable[[_Machine, int, int], None]:
    return lambda machine, code, at: machine.stack.append(
        int.from_bytes(machine.take(width), "little", signed=signed)
    )


def _counted(machine: _Machine, code: int, at: int) -> None:
    value = machine.counted(LONG_ARGUMENTS[code], text=code in _TEXTS)
    if code in (0x8A, 0x8B):
        data = machine.content.read(value.offset, min(value.length, 64))
        value = int.from_bytes(data, "little", signed=True)
    machine.stack.append(value)


def _float(machine: _Machine, code: int, at: int) -> None:
    machine.take(8)
    machine.stack.append(0.0)


def _frame(machine: _Machine, code: int, at: int) -> None:
    machine.take(8)


def _line_value(machine: _Machine, code: int, at: int) -> None:
    line = machine.line()
    if code in b"IL":
        digits = line.rstrip(b"L")
        plain = re.fullmatch(rb"\s*[+-]?\d{1,18}\s*", digits)
        machine.stack.append(int(digits) if plain else 0)
    elif code == 0x46:
        machine.stack.append(0.0)
    else:
        machine.stack.append(_text(line[1:-1] if code == 0x53 else line))


def _names(machine: _Machine, code: int, at: int) -> None:
    module, name = _text(machine.line()), _text(machine.line())
    machine.imported(module, name, at)
    if code == 0x69:
        callee = machine.stack.pop()
        machine.call(callee, tuple(machine.pop_mark()), at)


def _stack_global(machine: _Machine, code: int, at: int) -> None:
    name, module = machine.pop(), machine.pop()
    if isinstance(module, str) and isinstance(name, str):
        machine.imported(module, name, at)
    else:
        machine.hide(at, "STACK_GLOBAL takes something else than two strings")
        machine.stack.append(None)


def _pop(machine: _Machine, code: int, at: int) -> None:
    machine.stack.pop()


def _reduce(machine: _Machine, code: int, at: int) -> None:
    if code == 0x92:
        machine.pop()
    arguments, callee = machine.pop(), machine.pop()
    machine.call(callee, arguments, at)


def _obj(machine: _Machine, code: int, at: int) -> None:
    items = machine.pop_mark()
    machine.call(items[0], tuple(items[1:]), at)


def _build(machine: _Machine, code: int, at: int) -> None:
    state = machine.pop()
    value = machine.stack[-1]
    if isinstance(value, Imported):
        if len(machine.found.patched) < _MOST:
            machine.found.patched[at] = f"{value.module}.{value.name}"
    elif isinstance(value, Made):
        value.state = state
        if value.callee == Imported(*NDARRAY_WRAPPER):
            _skip_array(machine, state)


def _tuple(machine: _Machine, code: int, at: int) -> None:
    if code == 0x74:
        machine.stack.append(tuple(machine.pop_mark()))
        return
    count = code - 0x84
    items = tuple(machine.stack[-count:])
    if len(items) < count or any(item is _MARK for item in items):
        raise Broken("too little on the stack")
    machine.stack[-count:] = [items]


def _list(machine: _Machine, code: int, at: int) -> None:
    items = machine.pop_mark()
    machine.stack.append(items if code == 0x6C else _pairs(items))


def _pairs(items: list[Any]) -> dict[Any, Any]:
    """A dict with the keys that are text; other keys play no part here."""
    return {key: value for key, value in zip(items[::2], items[1::2], strict=True) if isinstance(key, str)}


def _append(machine: _Machine, code: int, at: int) -> None:
    items = [machine.pop()] if code == 0x61 else machine.pop_mark()
    target = machine.stack[-1]
    if isinstance(target, list):
        target.extend(items)


def _set_items(machine: _Machine, code: int, at: int) -> None:
    if code == 0x73:
        value, key = machine.pop(), machine.pop()
        items = [key, value]
    else:
        items = machine.pop_mark()
    target = machine.stack[-1]
    if isinstance(target, dict):
        target.update(_pairs(items))
    elif (
        isinstance(target, Made) and isinstance(target.callee, Imported) and target.callee.module in _TENSORS
    ):
        machine.found.writes.append(at)


def _get(machine: _Machine, code: int, at: int) -> None:
    index = int(machine.line()) if code == 0x67 else uint(machine.take(1 if code == 0x68 else 4))
    if index not in machine.memo:
        raise Broken(f"nothing in the memo under {index}")
    machine.stack.append(machine.memo[index])


def _put(machine: _Machine, code: int, at: int) -> None:
    if code == 0x94:
        index = len(machine.memo)
    else:
        index = int(machine.line()) if code == 0x70 else uint(machine.take(1 if code == 0x71 else 4))
    machine.memo[index] = machine.stack[-1]


def _persistent(machine: _Machine, code: int, at: int) -> None:
    value = machine.line() if code == 0x50 else machine.pop()
    if (
        isinstance(value, tuple)
        and len(value) >= 5
        and value[0] == "storage"
        and isinstance(value[1], Imported)
    ):
        kind, key, count = value[1], value[2], value[4]
        if isinstance(key, str) and isinstance(count, int):
            machine.found.storages[key] = (kind.name, count)
    elif len(machine.found.persistent) < _MOST:
        machine.found.persistent.append(at)
    machine.stack.append(None)


def _extension(machine: _Machine, code: int, at: int) -> None:
    machine.take(EXTENSIONS[code])
    machine.found.extensions.append(at)
    machine.stack.append(None)


def _protocol(machine: _Machine, code: int, at: int) -> None:
    if machine.take(1)[0] > 5:
        raise Broken("a protocol above 5")


def _dup(machine: _Machine, code: int, at: int) -> None:
    machine.stack.append(machine.stack[-1])


def _pop_mark(machine: _Machine, code: int, at: int) -> None:
    machine.pop_mark()


def _frozen(machine: _Machine, code: int, at: int) -> None:
    machine.pop_mark()
    machine.stack.append(None)


def _buffer(machine: _Machine, code: int, at: int) -> None:
    if code == 0x97:
        machine.stack.append(None)


def _skip_array(machine: _Machine, state: Any) -> None:
    """Go behind the bytes of an array that joblib wrote into the pickle; an object array is a pickle itself."""
    size = item_size(state["dtype"])
    if size is None:
        machine.inner_pickle()
        return
    if state.get("numpy_array_alignment_bytes") is not None:
        padding = machine.take(1)[0]
        machine.at += padding
    for length in state["shape"]:
        if not isinstance(length, int) or length < 0:
            raise Broken("an array of no shape")
        size *= length
    machine.at += size
    if machine.at > machine.content.size:
        raise Broken("an array reaches over the end")


_ACTIONS: dict[int, Callable[[_Machine, int, int], None]] = {
    **dict.fromkeys(LONG_ARGUMENTS, _counted),
    **dict.fromkeys(EXTENSIONS, _extension),
    **{ord(code): _line_value for code in "FILSV"},
    **dict.fromkeys((116, 133, 134, 135), _tuple),
    ord("("): _push(_MARK), ord("N"): _push(None), ord(")"): _push(()), 0x88: _push(True), 0x89: _push(False),
    ord("]"): _fresh(list), ord("}"): _fresh(dict), 0x8F: _push(None),
    ord("J"): _integer(4, True), ord("K"): _integer(1, False), ord("M"): _integer(2, False),
    ord("G"): _float,
    0x95: _frame,
    ord("c"): _names, ord("i"): _names, 0x93: _stack_global,
    ord("R"): _reduce, 0x81: _reduce, 0x92: _reduce, ord("o"): _obj, ord("b"): _build,
    ord("l"): _list, ord("d"): _list, ord("a"): _append, ord("e"): _append, 0x90: _append,
    ord("s"): _set_items, ord("u"): _set_items,
    ord("g"): _get, ord("h"): _get, ord("j"): _get,
    ord("p"): _put, ord("q"): _put, ord("r"): _put, 0x94: _put,
    ord("P"): _persistent, ord("Q"): _persistent,
    ord("0"): _pop, ord("1"): _pop_mark, ord("2"): _dup, 0x91: _frozen,
    0x80: _protocol, 0x97: _buffer, 0x98: _buffer,
}  # fmt: skip
