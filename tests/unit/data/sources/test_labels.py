"""From labels as a source holds them to class numbers."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gambeson.core.errors import UsageError
from gambeson.data.sources.labels import number, number_arrays, number_texts


@pytest.mark.parametrize(
    ("text", "value"), [("1", 1.0), ("-2.5e3", -2500.0), ("1_000", None), ("", None), ("a", None)]
)
def test_a_number_is_what_other_programs_also_call_one(text, value):
    assert number(text) == value


@given(st.sets(st.text("abc", min_size=1, max_size=4), min_size=2))
def test_texts_are_numbered_by_the_alphabet(texts):
    classes, codes = number_texts("y", texts)
    assert list(classes) == sorted(texts)
    assert all(classes[code] == text for text, code in codes.items())


@pytest.mark.parametrize(
    ("texts", "classes", "codes"),
    [
        ({"0", "2"}, ("0", "1", "2"), {"0": 0, "2": 2}),
        ({"2", "10", "1"}, ("1", "2", "10"), {"1": 0, "2": 1, "10": 2}),
        ({"-1", "1"}, ("-1", "1"), {"-1": 0, "1": 1}),
        ({"0", "1", "1.0"}, ("0", "1"), {"0": 0, "1": 1, "1.0": 1}),
    ],
    ids=["from 0, with a gap", "from 1", "signs", "two writings"],
)
def test_integers_are_numbered_by_value(texts, classes, codes):
    assert number_texts("y", texts) == (classes, codes)


def test_given_classes_set_the_order():
    assert number_texts("y", {"a", "b"}, ("b", "a", "c")) == (("b", "a", "c"), {"a": 1, "b": 0})
    assert number_texts("y", {"0", "1"}, ("cat", "dog")) == (("cat", "dog"), {"0": 0, "1": 1})


@pytest.mark.parametrize(
    ("texts", "classes", "message"),
    [
        ({"0.5", "1"}, (), "0.5, which is no integer"),
        ({"inf", "1"}, (), "inf, which is no integer"),
        ({"a"}, (), "make 1 class"),
        ({"0", "5000000"}, (), "make 5,000,001 classes"),
        ({"dgo"}, ("cat", "dog"), "label 'dgo'"),
        ({"2"}, ("cat", "dog"), "label 2"),
        ({"-1"}, ("cat", "dog"), "label -1"),
    ],
)
def test_impossible_labels_are_errors(texts, classes, message):
    with pytest.raises(UsageError, match=message):
        number_texts("y", texts, classes)


@given(st.lists(st.integers(0, 5), min_size=1), st.sampled_from([np.uint8, np.int64, np.float32, np.uint64]))
def test_integers_in_an_array_are_class_numbers(labels, dtype):
    classes, numbers = number_arrays("y", {"test": np.array([*labels, 5], dtype)})
    assert classes == tuple("012345")
    assert numbers["test"].tolist() == [*labels, 5]
    assert numbers["test"].dtype == np.int64


def test_classes_are_counted_over_all_splits():
    classes, _ = number_arrays("y", {"train": np.array([0, 1]), "test": np.array([3])})
    assert len(classes) == 4


def test_texts_in_arrays_share_one_numbering():
    classes, numbers = number_arrays("y", {"train": np.array(["b", "a"]), "test": np.array(["c"])})
    assert classes == ("a", "b", "c")
    assert (numbers["train"].tolist(), numbers["test"].tolist()) == ([1, 0], [2])


def test_a_column_of_labels_is_flattened():
    assert number_arrays("y", {"": np.array([[0], [1]])})[1][""].tolist() == [0, 1]


@pytest.mark.parametrize(
    ("array", "classes", "message"),
    [
        (np.array([0, 1, -1]), (), "y, split 'test', row 2 has the label -1"),
        (np.array([0, 0.5]), (), "row 1 has the label 0.5, which is no integer"),
        (np.array([0, np.nan]), (), "row 1 has the label nan, which is no integer"),
        (np.eye(3), (), r"shape \(3, 3\)"),
        (np.array(1), (), r"shape \(\)"),
        (np.array([0, 3]), ("a", "b"), "label 3"),
        (np.zeros(3, int), (), "make 1 class"),
        (np.array([0, 10**9]), (), "make 1,000,000,001 classes"),
        (np.array([0, 2**63], np.uint64), (), "row 1 has the label"),
        (np.array([0j, 1]), (), "of type complex128"),
    ],
)
def test_impossible_arrays_are_errors(array, classes, message):
    with pytest.raises(UsageError, match=message):
        number_arrays("y", {"test": array}, classes)
