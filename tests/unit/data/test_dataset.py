"""Splits in memory, and finding a split by name."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gambeson.core.errors import InsufficientEvidence, UsageError
from gambeson.data.dataset import ArraySplit, Dataset
from gambeson.data.schema import Schema


def dataset(rows: int) -> Dataset:
    split = ArraySplit(np.zeros((rows, 2)), np.zeros(rows, int))
    return Dataset("some data", Schema((2,), ("a", "b")), {"test": split}, "sha256:0")


@given(st.integers(0, 30), st.integers(1, 40))
def test_batches_are_all_rows_in_order(rows, size):
    x, y = np.arange(rows * 2.0).reshape(rows, 2), np.arange(rows)
    batches = list(ArraySplit(x, y).batches(size))
    assert [len(b) for _, b in batches] == [min(size, rows - start) for start in range(0, rows, size)]
    assert np.array_equal(np.concatenate([np.empty((0, 2)), *(b for b, _ in batches)]), x)


def test_take_keeps_the_order_asked_for_and_converts():
    x, y = ArraySplit(np.arange(4.0)[:, None], np.arange(4, dtype=np.uint8)).take(np.array([3, 0, 3]))
    assert x.ravel().tolist() == [3, 0, 3]
    assert y.tolist() == [3, 0, 3]
    assert (x.dtype, y.dtype) == (np.float32, np.int64)


def test_an_unknown_split_names_the_known_ones():
    with pytest.raises(UsageError, match=r"no split 'train'.\nExpected: test"):
        dataset(1).split("train")


def test_an_empty_split_is_no_evidence():
    with pytest.raises(InsufficientEvidence, match="'test' of some data is empty"):
        dataset(0).split("test")
