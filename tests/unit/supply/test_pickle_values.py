import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gambeson.supply.pickle_values import Broken, Imported, Made, item_size


def described(code, state=None):
    made = Made(Imported("numpy", "dtype"), (code, False, True))
    made.state = state
    return made


@pytest.mark.parametrize("code", ["f8", "<f4", "?b1"[1:], "i2", "U7", "S5", "c16", "M8", "V3", "u1"])
def test_sizes_are_those_of_numpy(code):
    assert item_size(described(code)) == np.dtype(code).itemsize


@given(st.sampled_from(["<f8", "S9", "U4", "V16"]))
def test_a_state_as_numpy_writes_it_changes_nothing(code):
    _, arguments, state = np.dtype(code).__reduce__()
    made = described(arguments[0], state)
    assert item_size(made) == np.dtype(code).itemsize


def test_a_state_that_changes_the_size_counts():
    assert item_size(described("S1", (3, "|", None, None, None, 77, 1, 0))) == 77


@pytest.mark.parametrize("made", [described("O8"), described("V16", (3, "|", None, ("a",), {}, 16, 1, 27))])
def test_objects_have_no_size(made):
    assert item_size(made) is None


@pytest.mark.parametrize(
    "made", [described("x9"), described("f8; import os"), Made(Imported("os", "dtype"), ("f8",))]
)
def test_anything_else_is_no_dtype(made):
    with pytest.raises(Broken):
        item_size(made)


@pytest.mark.parametrize("size", [-2, -(2**40), 1.5, "8", None])
def test_a_size_that_leads_backwards_is_none(size):
    with pytest.raises(Broken):
        item_size(described("S1", (3, "|", None, None, None, size, 1, 0)))
