"""Rows read on demand, and their division."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gambeson.core.errors import UsageError
from gambeson.core.reproduce import Seed
from gambeson.data.sources.array_rows import ArrayRows
from gambeson.data.sources.options import DataOptions
from gambeson.data.sources.splits import RowSplit, divide, divide_as_asked

SEED = Seed(0)


def rows_of(labels: list[int]) -> RowSplit:
    y = np.array(labels, np.int64)
    return RowSplit.of_all(ArrayRows(np.arange(len(y) * 2.0).reshape(-1, 2)), y)


@given(st.lists(st.integers(0, 3), min_size=1, max_size=40), st.integers(1, 50))
def test_batches_one_after_another_are_all_rows(labels, size):
    split = rows_of(labels)
    x, y = (np.concatenate(parts) for parts in zip(*split.batches(size), strict=True))
    all_x, all_y = split.take(np.arange(len(split)))
    assert np.array_equal(x, all_x)
    assert np.array_equal(y, all_y)


def test_take_counts_within_the_split():
    split = RowSplit(rows_of([0] * 10).read, np.arange(10), np.array([2, 5, 7]))
    x, y = split.take(np.array([2, 0]))
    assert y.tolist() == [7, 2]
    assert x[:, 0].tolist() == [14, 4]


@given(st.lists(st.integers(0, 3), min_size=12, max_size=80), st.integers(0, 5))
def test_a_division_puts_each_row_into_one_split(labels, seed):
    splits = divide(rows_of(labels), 0.5, Seed(seed), "data")
    together = np.concatenate([splits["train"].rows, splits["test"].rows])
    assert sorted(together.tolist()) == list(range(len(labels)))


@given(st.lists(st.integers(0, 3), min_size=40, max_size=120), st.floats(0.2, 0.8))
def test_each_class_is_divided_in_the_same_proportion(labels, fraction):
    splits = divide(rows_of(labels), fraction, SEED, "data")
    _, test_labels = splits["test"].take(np.arange(len(splits["test"])))
    for label in set(labels):
        assert abs((test_labels == label).sum() - fraction * labels.count(label)) <= 0.5


def test_same_seed_same_division_other_seed_another():
    whole = rows_of([0, 1] * 50)
    first, again, other = (divide(whole, 0.3, seed, "data")["test"].rows for seed in (SEED, SEED, Seed(1)))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_the_whole_may_be_the_test_split():
    assert list(divide(rows_of([0, 1]), 1.0, SEED, "data")) == ["test"]


def test_a_split_that_stays_empty_is_an_error():
    with pytest.raises(UsageError, match=r"data has 1 rows: test_fraction=0.25 leaves 'test' empty"):
        divide(rows_of([0]), 0.25, SEED, "data")


def test_a_division_says_how_it_was_drawn():
    splits, how = divide_as_asked(rows_of([0, 1] * 10), DataOptions(test_fraction=0.3, split_seed=4), "data")
    assert len(splits["test"]) == 6
    assert how == "drawn class by class: test_fraction=0.3, split_seed=4"
