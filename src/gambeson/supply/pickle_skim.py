"""Which names a pickle imports, read at the speed of a regular expression and in bounded memory.

Nothing is executed and no stack is kept. What matters is where names come from: GLOBAL and INST carry theirs, and every
pickler puts two strings, or two look-ups of memoised strings, directly before STACK_GLOBAL. Anything else before it is
an attempt to hide a name, and reported as such.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from gambeson.supply.content import Content, uint
from gambeson.supply.pickle_opcodes import EXTENSIONS, LONG_ARGUMENTS, pass_over, token

_WINDOW = 1 << 20
_RUN = 1 << 16
_LONGEST_LINE = 1 << 16
_LONGEST_TOKEN = 300
_BACK = 2048
_MOST = 1_000

NDARRAY_WRAPPER = ("joblib.numpy_pickle", "NumpyArrayWrapper")
"""joblib writes the bytes of an array behind this object, in the middle of the pickle."""


@dataclass(slots=True)
class Reading:
    """What a pickle holds.

    Attributes:
        start: Where it begins.
        end: One behind STOP, or where it broke off.
        broken: Why it cannot be read further; empty where STOP was reached.
        imports: Module and name to the offset of the first import.
        obscured: Offsets where a name or callee is hidden, and how.
        patched: Offsets where an imported class or function is changed, and which.
        extensions: Offsets of extension codes.
        persistent: Offsets of persistent ids.
        calls: How many calls the exact machine met.
        payloads: Bytes that an imported function would unpickle in turn: offset and length.
        raw_arrays: joblib's arrays lie within, which only the exact machine can pass.
        writes: Offsets where an item of a tensor is set.
        storages: Of torch: key to the name of the storage type and its number of elements.
    """

    start: int
    end: int = 0
    broken: str = ""
    imports: dict[tuple[str, str], int] = field(default_factory=dict)
    obscured: dict[int, str] = field(default_factory=dict)
    patched: dict[int, str] = field(default_factory=dict)
    extensions: list[int] = field(default_factory=list)
    persistent: list[int] = field(default_factory=list)
    payloads: list[tuple[int, int]] = field(default_factory=list)
    writes: list[int] = field(default_factory=list)
    storages: dict[str, tuple[str, int]] = field(default_factory=dict)
    calls: int = 0
    raw_arrays: bool = False

    def add_import(self, module: str, name: str, offset: int) -> None:
        """Keep the first place of each name."""
        if len(self.imports) < _MOST:
            self.imports.setdefault((module, name), offset)


def skim(content: Content, start: int = 0) -> Reading:
    """Read one pickle up to STOP, or up to where it breaks off.

    Args:
        content: Where it lies.
        start: Its first byte.
    """
    return _Skim(content, start).run()


class _Skim:
    def __init__(self, content: Content, start: int) -> None:
        self.content, self.found = content, Reading(start)
        self.buffer, self.base = content.read(start, _WINDOW), start
        # Where tokens begin that can be read again: at least _BACK bytes before the place, where there are so many.
        self.begin = self.fresh = start
        self.wanted: list[tuple[int, list[bytes]]] = []

    def run(self) -> Reading:
        at: int | None = self.found.start
        while at is not None:
            at = self._step(self._pass_over(at))
        if self.wanted:
            self._resolve()
        return self.found

    def _byte(self, at: int) -> int:
        """The byte at an offset, or -1 behind the end; keeps what one short token needs in the window."""
        place = at - self.base
        if place < 0 or (
            place + _LONGEST_TOKEN > len(self.buffer) and self.base + len(self.buffer) < self.content.size
        ):
            self.buffer, self.base, place = self.content.read(at, _WINDOW), at, 0
        return self.buffer[place] if place < len(self.buffer) else -1

    def _pass_over(self, at: int) -> int:
        while self._byte(at) >= 0:
            if at - self.fresh >= _BACK:
                self.begin, self.fresh = self.fresh, at
            place = at - self.base
            match = pass_over().match(self.buffer, place, place + _RUN)
            if match is None or match.end() == place:
                break
            at = self.base + match.end()
        return at

    def _step(self, at: int) -> int | None:
        """Past one opcode that matters; ``None`` at the end."""
        code = self._byte(at)
        self.found.end = at
        after: int | None
        match code:
            case -1:
                return self._stop("it ends before STOP")
            case 0x2E:
                self.found.end = at + 1
                return None
            case 0x93:
                self._stack_global(at)
                after = at + 1
            case 0x80:
                after = at + 2 if 0 <= self._byte(at + 1) <= 5 else self._stop("a protocol above 5")
            case 0x63 | 0x69:
                after = self._names(at)
            case _:
                after = self._argument(code, at)
        if self.found.raw_arrays:
            return None
        if after is not None and after > self.content.size:
            return self._stop("an argument reaches over the end")
        self.begin = self.fresh = after or at
        return after

    def _argument(self, code: int, at: int) -> int | None:
        if code in b"PFILSVgp":
            end = self.content.find(b"\n", at)
            if code == 0x50:
                self._note(self.found.persistent, at)
            return end + 1 if end >= 0 else self._stop("a line without an end")
        if code == 0x51:
            self._note(self.found.persistent, at)
        if code in (0x51, 0x97, 0x98):
            return at + 1
        if width := EXTENSIONS.get(code):
            self._note(self.found.extensions, at)
            return at + 1 + width
        if width := LONG_ARGUMENTS.get(code):
            return at + 1 + width + uint(self.content.read(at + 1, width))
        return self._stop(f"no opcode {code:#04x}")

    def _stop(self, why: str) -> int | None:
        self.found.broken = why
        return None

    def _note(self, offsets: list[int], at: int) -> None:
        if len(offsets) < _MOST:
            offsets.append(at)

    def _line(self, at: int) -> tuple[str, int | None]:
        """Text up to the next line feed and the offset behind it."""
        data = self.content.read(at, _LONGEST_LINE)
        end = data.find(b"\n")
        if end < 0:
            return "", self._stop("a line without an end")
        return data[:end].decode("utf-8", "backslashreplace"), at + end + 1

    def _names(self, at: int) -> int | None:
        module, middle = self._line(at + 1)
        name, after = self._line(middle) if middle is not None else ("", None)
        if after is not None:
            self._import(module, name, at)
        return after

    def _import(self, module: str, name: str, at: int) -> None:
        self.found.add_import(module, name, at)
        self.found.raw_arrays |= (module, name) == NDARRAY_WRAPPER

    def _stack_global(self, at: int) -> None:
        """Find both operands among the tokens before it."""
        data = self.content.read(self.begin, at - self.begin)
        tokens = token().findall(data)
        operands = _operands(tokens) if sum(map(len, tokens)) == len(data) else None
        if operands is None:
            self._hide(at, "the operands of STACK_GLOBAL are no strings in place")
        elif all(item[0] in b"\x8cX" for item in operands):
            self._import(_text(operands[0]), _text(operands[1]), at)
        elif len(self.wanted) < _MOST:
            self.wanted.append((at, operands))
        else:
            self._hide(at, "too many names come from the memo")

    def _hide(self, at: int, how: str) -> None:
        if len(self.found.obscured) < _MOST:
            self.found.obscured[at] = how

    def _resolve(self) -> None:
        """Look the memo indices up: count MEMOIZE from the start, as far as the largest index."""
        needed = {uint(item[1:]) for _, pair in self.wanted for item in pair if item[0] in b"hj"}
        memo = _memo_strings(self.content, self.found.start, self.found.end, needed)
        for at, pair in self.wanted:
            words = [_text(item) if item[0] in b"\x8cX" else memo.get(uint(item[1:])) for item in pair]
            if words[0] is None or words[1] is None:
                self._hide(at, "a name of STACK_GLOBAL is no string in the memo")
            else:
                self._import(words[0], words[1], at)


def _operands(tokens: list[bytes]) -> list[bytes] | None:
    """The last two strings or memo look-ups, where nothing but the MEMOIZE of a string stands behind each."""
    rest = [item for item in tokens[-12:] if item[0] != 0x95]
    found: list[bytes] = []
    while len(found) < 2:
        memoized = rest[-1:] == [b"\x94"] and bool(rest.pop())
        if not rest or rest[-1][0] not in (b"\x8cX" if memoized else b"\x8cXhj"):
            return None
        found.insert(0, rest.pop())
    return found


def _text(item: bytes) -> str:
    return item[2 if item[0] == 0x8C else 5 :].decode("utf-8", "backslashreplace")


def _memo_strings(content: Content, start: int, end: int, needed: set[int]) -> dict[int, str]:
    """Strings that MEMOIZE kept under the needed indices; none where another opcode writes to the memo."""
    found: dict[int, str] = {}
    at, count, last = start, 0, b"."
    while at < end and count <= max(needed):
        data = content.read(at, min(_RUN, end - at))
        match = pass_over().match(data)
        size = match.end() if match else 0
        for item in token().findall(data[:size]):
            if item == b"\x94":
                if count in needed and last[0] in b"\x8cX":
                    found[count] = _text(last)
                count += 1
            elif item[0] in b"pqr":
                return {}
            last = item
        if size == 0:
            size, last = _length(content, at), b"."
        at += size
    return found


def _length(content: Content, at: int) -> int:
    """Length of an opcode that is not passed over; it is whole, for it was read before."""
    code = content.read(at, 1)[0]
    if code in b"ciPFILSVgp":
        end = content.find(b"\n", at)
        return (content.find(b"\n", end + 1) if code in b"ci" else end) + 1 - at
    if width := EXTENSIONS.get(code):
        return 1 + width
    if width := LONG_ARGUMENTS.get(code):
        return 1 + width + uint(content.read(at + 1, width))
    return 2 if code == 0x80 else 1
