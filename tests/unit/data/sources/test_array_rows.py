"""Rows of arrays in input units."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from gambeson.core.errors import UsageError
from gambeson.data.sources.array_rows import ArrayRows

ALL = np.arange(4)


def read(array: np.ndarray, *, scale: bool = True) -> np.ndarray:
    rows = ArrayRows.of("x", array, scale=scale)
    x = rows(np.arange(len(array)))
    assert x.shape == (len(array), *rows.shape)
    assert x.dtype == np.float32
    assert x.flags.c_contiguous
    return x


@given(hnp.arrays(np.float32, (4, 3), elements=st.floats(-10, 10, width=32)))
def test_a_table_is_read_as_it_is(array):
    assert np.array_equal(read(array), array)


@given(hnp.arrays(np.uint8, (4, 2, 5)))
def test_grey_pictures_get_a_channel_and_a_range_of_0_to_1(array):
    assert np.allclose(read(array), array[:, None] / 255, rtol=1e-7, atol=0)


@given(hnp.arrays(np.uint8, (4, 2, 5, 3)))
def test_channels_last_becomes_channels_first(array):
    assert np.array_equal(read(array, scale=False), np.moveaxis(array, -1, 1))


def test_channels_first_stays():
    array = np.random.default_rng(0).random((4, 3, 2, 5), np.float32)
    assert np.array_equal(read(array), array)


def test_a_table_of_bytes_is_not_scaled():
    assert read(np.full((4, 2), 255, np.uint8)).max() == 255


def test_rows_come_in_the_order_asked_for():
    rows = ArrayRows(np.arange(4.0)[:, None])
    assert rows(np.array([3, 0, 3])).ravel().tolist() == [3, 0, 3]


def test_what_float32_cannot_hold_becomes_infinite_without_a_warning():
    assert np.isinf(read(np.array([[1e300]]))).all()


@pytest.mark.parametrize(
    "array",
    [
        np.zeros(4),
        np.zeros((4, 1, 1, 1, 1)),
        np.zeros((4, 2), complex),
        np.zeros((4, 2), "U3"),
        np.zeros((4, 0)),
    ],
    ids=["vector", "five axes", "complex", "texts", "no columns"],
)
def test_other_shapes_and_types_are_errors(array):
    with pytest.raises(UsageError, match="x has shape"):
        ArrayRows.of("x", array, scale=True)
