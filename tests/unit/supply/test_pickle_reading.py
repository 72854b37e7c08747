import pickle

import pytest

from gambeson.supply.content import Content
from gambeson.supply.pickle_reading import EXACT, read_pickle, read_pickles, seems_pickle
from tests.corpus.opcodes import EVIL, HARMLESS, PROTO, call, named, short


def test_pickles_in_a_row_are_all_read():
    found = list(read_pickles(Content(HARMLESS + EVIL + HARMLESS)))
    assert [item.start for item in found] == [0, len(HARMLESS), len(HARMLESS + EVIL)]
    assert set(found[1].imports) == {("os", "system")}


def test_reading_ends_at_a_break():
    found = list(read_pickles(Content(HARMLESS + b"\xff" + EVIL)))
    assert [bool(item.broken) for item in found] == [False, True]


def test_a_large_pickle_is_read_to_its_end():
    data = PROTO[4] + b"(" + b"K\x01" * EXACT + b"t0" + short("os") + short("system") + b"\x93."
    assert set(read_pickle(Content(data)).imports) == {("os", "system")}


def test_both_readers_add_up():
    data = PROTO[4] + short("timeit") + b"2\x93."
    found = read_pickle(Content(data))
    assert set(found.imports) == {("timeit", "timeit")}
    assert found.obscured


@pytest.mark.parametrize("protocol", [0, 1])
def test_early_protocols_are_known_without_a_mark(protocol):
    assert seems_pickle(Content(pickle.dumps({"a": [1, 2.5]}, protocol)))
    assert seems_pickle(Content(call("os", "system", protocol=protocol)))
    assert seems_pickle(Content(named("os", "system") + b"(S'true'\ntR\xff\xff and a tail"))


@pytest.mark.parametrize(
    "data",
    [
        b"cat\ndog\nlist\n",
        b"N.B. this",
        b"(a.",
        b"import os\nprint(1)\n",
        b"lad. x",
        b"I am.\n",
        b"{}",
        b"(1, 2)\n",
        b"N.",
    ],
)
def test_prose_is_none(data):
    assert not seems_pickle(Content(data))
