"""Validation as a stream: what is wrong is named by split, row and column."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from gambeson.core.errors import UsageError
from gambeson.data import validation
from gambeson.data.dataset import ArraySplit
from gambeson.data.validation import require_rows, survey

finite = st.floats(-(2.0**100), 2.0**100, width=32)


def split(x: np.ndarray) -> ArraySplit:
    return ArraySplit(x, np.zeros(len(x), int))


@given(hnp.arrays(np.float32, hnp.array_shapes(min_dims=2, max_dims=4, max_side=6), elements=finite))
def test_the_range_is_that_of_the_whole_array(x):
    low, high = survey("data", {"": split(x)}, x.shape[1:])
    assert np.array_equal(low, x.min(axis=0))
    assert np.array_equal(high, x.max(axis=0))


def test_the_range_covers_all_splits():
    low, high = survey("data", {"train": split(np.ones((2, 1))), "test": split(-np.ones((1, 1)))}, (1,))
    assert (low.item(), high.item()) == (-1, 1)


@given(st.integers(0, 49), st.integers(0, 2), st.sampled_from([np.nan, np.inf, -np.inf, 1e300]))
def test_a_value_that_is_not_finite_is_named_by_split_row_and_column(row, column, value):
    x = np.zeros((50, 3))
    x[row, column] = value
    with np.errstate(over="ignore"), pytest.MonkeyPatch.context() as patch:
        patch.setattr(validation, "_VALUES", 21)  # seven rows at a time
        with pytest.raises(UsageError) as caught:
            survey("data", {"train": split(np.zeros((5, 3))), "test": split(x)}, (3,), names=["a", "b", "c"])
    assert f"data, split 'test', row {row}, column {'abc'[column]!r} is" in caught.value.message


def test_a_place_in_a_picture_is_named_by_its_axes():
    x = np.zeros((2, 1, 3, 3))
    x[1, 0, 2, 1] = np.nan
    with pytest.raises(UsageError, match=r"data, row 1, value \(0, 2, 1\) is nan"):
        survey("data", {"": split(x)}, (1, 3, 3))


@pytest.mark.parametrize(
    ("value", "message"),
    [(1.5, r"is 1.5, above the bound high=1"), (-0.5, r"is -0.5, below the bound low=0")],
)
def test_a_value_out_of_bounds_is_named_with_its_bound(value, message):
    with pytest.raises(UsageError, match=rf"row 1, column 'a' {message}"):
        survey("data", {"": split(np.array([[0.0], [value]]))}, (1,), names=["a"], low=0.0, high=1.0)


def test_bounds_may_differ_between_columns():
    x = np.array([[5.0, 0.5]])
    survey("data", {"": split(x)}, (2,), high=np.array([np.inf, 1.0]))
    with pytest.raises(UsageError, match=r"above the bound high=0.25"):
        survey("data", {"": split(x)}, (2,), high=np.array([np.inf, 0.25]))


def test_values_on_the_bounds_are_within():
    third = np.float32(1 / 3)
    survey("data", {"": split(np.array([[third]]))}, (1,), low=1 / 3, high=1 / 3)


def test_a_split_without_rows_is_an_error():
    with pytest.raises(UsageError, match="data, split 'test' has no rows"):
        survey("data", {"test": split(np.zeros((0, 2)))}, (2,))
    with pytest.raises(UsageError, match=r"^data has no rows"):
        require_rows("data", "", 0)
