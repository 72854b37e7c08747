import collections
import datetime
import pickle
import pickletools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gambeson.supply.content import Content
from gambeson.supply.pickle_skim import skim
from tests.corpus.opcodes import EVIL, PROTO, call, short


def independent(data):
    """Imports by the standard library's disassembler, with a memo of strings."""
    found, strings, memo = set(), [], {}
    for op, argument, _ in pickletools.genops(data):
        if op.name in ("GLOBAL", "INST"):
            found.add(tuple(argument.split(" ", 1)))
        elif op.name == "STACK_GLOBAL":
            found.add((strings[-2], strings[-1]))
        elif op.name == "MEMOIZE":
            memo[len(memo)] = strings[-1] if strings else None
        elif op.name in ("BINGET", "LONG_BINGET"):
            strings.append(memo.get(argument))
        elif op.arg is None or op.name == "FRAME":
            strings.append(None) if op.stack_after and op.name != "FRAME" else None
        else:
            strings.append(argument if isinstance(argument, str) else None)
    return found


VALUES = [
    collections.OrderedDict(a=1),
    [datetime.date(2024, 1, 1), datetime.timedelta(1), datetime.datetime(2024, 1, 1)],
    {"x": np.arange(3), "y": np.float32(1)},
    [collections.Counter("ab"), collections.deque([1]), complex(1, 2)],
]


@pytest.mark.parametrize("protocol", range(6))
@pytest.mark.parametrize("value", VALUES, ids=lambda value: type(value).__name__)
def test_imports_are_those_of_the_disassembler(value, protocol):
    data = pickle.dumps(value, protocol)
    found = skim(Content(data))
    assert set(found.imports) == independent(data)
    assert (found.broken, found.end, found.obscured) == ("", len(data), {})


def test_a_name_from_the_memo_is_found_however_far_back():
    data = (
        PROTO[4] + short("os") + b"\x94" + b"(" + b"K\x01" * 200_000 + b"t0h\x00" + short("system") + b"\x93."
    )
    assert set(skim(Content(data)).imports) == {("os", "system")}


@pytest.mark.parametrize(
    "operands", [short("a") + b"2", b"h\x00h\x09", short("a") + b"]" + short("b"), b"KaKb", b"\x94\x94", b""]
)
def test_other_operands_of_stack_global_are_hidden_names(operands):
    found = skim(Content(PROTO[4] + short("os") + b"\x94" + operands + b"\x93."))
    assert found.obscured
    assert not found.imports


def test_a_long_string_that_holds_opcodes_is_not_read_as_such():
    data = PROTO[4] + b"X" + (400).to_bytes(4, "little") + b"cos\nsystem\n".ljust(400) + b"."
    assert skim(Content(data)).imports == {}


def test_operands_across_a_window_are_whole():
    for pad in range(65_500, 65_560):
        data = (
            PROTO[4]
            + b"N0" * (pad // 2)
            + b"N" * (pad % 2)
            + short("os")
            + b"\x94"
            + short("system")
            + b"\x94\x93."
        )
        assert set(skim(Content(data)).imports) == {("os", "system")}


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (EVIL[:-1], "before STOP"), (b"\x80\x06.", "protocol"), (b"\xff", "no opcode"),
        (b"X\xff\xff\xff\xffab", "over the end"), (b"cos", "line"), (b"I12", "line"), (b"", "before STOP"),
    ],
)  # fmt: skip
def test_a_break_says_why(data, why):
    assert why in skim(Content(data)).broken


def test_what_stands_before_a_break_is_kept():
    assert ("os", "system") in skim(Content(call("os", "system")[:-1] + b"\xff")).imports


@given(st.binary(max_size=300))
def test_any_bytes_end_within_them(data):
    found = skim(Content(data))
    assert 0 <= found.end <= len(data)


def test_lines_longer_than_the_window_are_passed():
    data = b"V" + b"x" * (3 << 20) + b"\n."
    assert skim(Content(data)).end == len(data)


@pytest.mark.parametrize("put", [b"q\x00", b"r\x00\x00\x00\x00", b"p0\n"])
def test_a_memo_that_is_written_by_index_hides_names(put):
    data = (
        PROTO[4]
        + short("collections")
        + b"\x94"
        + short("os")
        + put
        + b"00h\x00"
        + short("system")
        + b"\x93."
    )
    found = skim(Content(data))
    assert found.obscured
    assert not found.imports
