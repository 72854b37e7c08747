import io
import pickle
import pickletools

import joblib
import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from gambeson.supply.content import Content
from gambeson.supply.pickle_machine import run_machine
from tests.corpus.opcodes import EVIL, PROTO, binary, call, long, named, short, stacked


@pytest.mark.parametrize("protocol", range(6))
def test_it_ends_where_the_disassembler_ends(protocol):
    data = pickle.dumps(
        {"a": [1, (2, 3), {4}], "b": b"x", "c": 2**99, "d": frozenset("x"), "e": bytearray(3)}, protocol
    )
    found = run_machine(Content(data + b"tail"))
    assert (found.end, found.broken) == (len(data), "")
    assert list(pickletools.genops(data))[-1][2] == found.end - 1


def dumped(value, **how):
    buffer = io.BytesIO()
    joblib.dump(value, buffer, **how)
    return buffer.getvalue()


@pytest.mark.parametrize(
    "value",
    [
        np.arange(9.0), np.zeros((0, 3)), np.array("ü", "U3"), np.zeros(2, [("a", "i4"), ("b", "S3")]),
        np.array([None, np.ones(2)], object), [np.ones(3), {"x": np.ones(2, bool)}],
        np.arange("2024-01", "2024-03", dtype="M8[D]"),
    ],
    ids=lambda value: str(getattr(value, "dtype", "list")),
)  # fmt: skip
def test_the_bytes_of_joblib_arrays_are_passed(value):
    data = dumped(value)
    assert (run_machine(Content(data)).broken, run_machine(Content(data)).end) == ("", len(data))


def test_what_follows_an_array_is_read():
    data = dumped([np.frombuffer(b"cos\nsystem\n" * 8, np.uint8), pytest.approx])
    names = set(run_machine(Content(data)).imports)
    assert ("os", "system") not in names
    assert any(name == "approx" for _, name in names)


def test_hidden_names_are_resolved():
    data = PROTO[4] + short("timeit") + b"2\x93."
    assert set(run_machine(Content(data)).imports) == {("timeit", "timeit")}


def test_a_changed_class_is_named():
    data = PROTO[2] + named("collections", "OrderedDict") + b"N}" + long("a") + b"Ns\x86b."
    assert list(run_machine(Content(data)).patched.values()) == ["collections.OrderedDict"]


def test_bytes_that_torch_would_unpickle_are_located():
    data = PROTO[2] + named("torch.storage", "_load_from_bytes") + binary(EVIL) + b"\x85R."
    ((offset, length),) = run_machine(Content(data)).payloads
    assert data[offset : offset + length] == EVIL


def test_storages_of_torch_are_counted():
    buffer = io.BytesIO()
    torch.save({"a": torch.zeros(5)}, buffer, _use_new_zipfile_serialization=False)
    data, at = buffer.getvalue(), 0
    for _ in range(4):
        found = run_machine(Content(data), at)
        at = found.end
    assert list(found.storages.values()) == [("FloatStorage", 5)]
    assert found.persistent == []


@pytest.mark.parametrize(
    "data",
    [
        b"0.", b"R.", b"t.", b"h\x00.",
        b"(R.", b"N\x93.", b"a.", b"\x85.", b"]]u.", b"NNs.", b".", b"b.", b"(o.", b"gx\n.", b"J\x00",
        PROTO[2] + named("joblib.numpy_pickle", "NumpyArrayWrapper") + b")\x81}b.",
    ],
)  # fmt: skip
def test_where_the_real_machine_stops_this_one_stops(data):
    assert run_machine(Content(data)).broken


def test_a_called_value_is_hidden_and_a_called_name_is_not():
    assert run_machine(Content(PROTO[2] + long("x") + b")R.")).obscured
    assert not run_machine(Content(call("os", "system"))).obscured


def test_a_pickle_of_too_many_opcodes_is_broken():
    assert "opcodes" in run_machine(Content(b"N0" * 50 + b"N."), most=20).broken


@given(st.binary(max_size=200))
def test_any_bytes_end_within_them(data):
    assert 0 <= run_machine(Content(data)).end <= len(data) + 1


@given(st.integers(0, 300), st.integers(0, 255))
def test_no_damage_makes_it_raise(place, byte):
    data = bytearray(dumped({"a": np.arange(3.0), "b": [1, "x"]}))
    data[place % len(data)] = byte
    run_machine(Content(bytes(data)))


def test_stacked_names_need_text():
    assert run_machine(Content(PROTO[4] + b"K\x01K\x02\x93.")).obscured
    assert set(run_machine(Content(PROTO[4] + stacked("a", "b") + b".")).imports) == {("a", "b")}
