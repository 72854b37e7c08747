import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from safetensors import SafetensorError
from safetensors.numpy import load, save

from tests.corpus.hostile_models import safetensors
from tests.corpus.look import rules_of

GOOD = {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}


@given(st.dictionaries(st.text(min_size=1, max_size=5), st.lists(st.integers(0, 3), max_size=3), max_size=4))
def test_what_the_library_writes_passes(shapes):
    data = save(
        {name: np.zeros(shape, np.float32) for name, shape in shapes.items() if name != "__metadata__"}
    )
    assert rules_of(data, "m.safetensors") == set()


@pytest.mark.parametrize(
    "header",
    [
        {"a": GOOD | {"data_offsets": [0, 4]}}, {"a": GOOD | {"shape": [3]}}, {"a": GOOD | {"dtype": "X"}},
        {"a": GOOD | {"data_offsets": [8, 0]}}, {"a": GOOD, "b": GOOD}, {"a": GOOD, "__metadata__": {"x": 1}}, {"a": 1},
        {"a": GOOD | {"shape": [True, 2]}}, {"a": GOOD | {"more": 1}}, b"{", b"[1]", b'{"a":1,"a":2}',
    ],
    ids=str,
)  # fmt: skip
def test_what_breaks_a_rule_is_found(header):
    assert rules_of(safetensors(header), "m.safetensors") <= {
        "scan.safetensors.header",
        "scan.safetensors.layout",
        "scan.file.type",
    }
    assert rules_of(safetensors(header), "m.safetensors")


@given(st.integers(0, 200), st.integers(0, 255))
def test_what_the_library_refuses_the_scan_finds(place, byte):
    data = bytearray(save({"a": np.arange(4, dtype=np.int16), "b": np.zeros((2, 2))}))
    data[place % len(data)] = byte
    try:
        load(bytes(data))
    except SafetensorError:
        assert rules_of(bytes(data), "m.safetensors")
    except KeyError:
        pass  # a type that the library knows and NumPy does not


def test_holes_and_tails():
    assert rules_of(safetensors({"a": GOOD}, bytes(9)), "m.safetensors") == {"scan.safetensors.layout"}
    assert rules_of(safetensors({"a": GOOD | {"data_offsets": [4, 12]}}, bytes(12)), "m.safetensors") == {
        "scan.safetensors.layout"
    }
