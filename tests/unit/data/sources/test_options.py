"""Options of a data source: parsed from pairs, checked, refused where they mean nothing."""

from __future__ import annotations

from dataclasses import fields

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gambeson.core.errors import UsageError
from gambeson.data.sources.options import DataOptions, nearest


def test_every_option_can_be_given_as_text():
    pairs = (
        ("label", "income"), ("classes", "a, b"), ("low", "-1"), ("high", "1e3"), ("scale", "false"),
        ("freeze", "age,sex"), ("categorical", "zip"), ("drop", "id"), ("names", "a,b,c"),
        ("header", "none"), ("separator", "tab"), ("missing", "?,NA"), ("split", "part"),
        ("test_fraction", "0.5"), ("split_seed", "7"), ("max_pixels", "100"),
        ("relations", "a < b, c -> d"), ("one_hot", "colour_*"),
        ("sensitive", "sex,race"), ("confidential", "sex=Female"),
    )  # fmt: skip
    assert {name for name, _ in pairs} == {field.name for field in fields(DataOptions)}
    assert DataOptions.from_pairs(pairs) == DataOptions(
        label="income", classes=("a", "b"), low=-1.0, high=1000.0, scale=False, freeze=("age", "sex"),
        categorical=("zip",), drop=("id",), names=("a", "b", "c"), header="none", separator="\t",
        missing=("?", "NA"), split="part", test_fraction=0.5, split_seed=7, max_pixels=100,
        relations=("a < b", "c -> d"), one_hot=("colour_*",),
        sensitive=("sex", "race"), confidential="sex=Female",
    )  # fmt: skip


def test_no_pairs_are_the_defaults():
    assert DataOptions.from_pairs(()) == DataOptions()


def test_an_unknown_option_gets_the_nearest_name():
    with pytest.raises(UsageError, match=r"Unknown data option 'lable'") as caught:
        DataOptions.from_pairs((("lable", "y"),))
    assert caught.value.remedy == "did you mean 'label'?"


def test_an_option_given_twice_is_an_error():
    with pytest.raises(UsageError, match="'low' is given twice"):
        DataOptions.from_pairs((("low", "0"), ("low", "1")))


@pytest.mark.parametrize(
    ("key", "text", "expected"),
    [
        ("low", "zero", "a number"),
        ("split_seed", "1.5", "an integer"),
        ("scale", "maybe", "true or false"),
    ],
)
def test_a_text_that_is_no_value_is_an_error(key, text, expected):
    with pytest.raises(UsageError, match=f"{key}={text!r} cannot be read") as caught:
        DataOptions.from_pairs(((key, text),))
    assert caught.value.expected == expected


@pytest.mark.parametrize(
    "wrong",
    [
        {"low": 1.0, "high": 0.0},
        {"low": 1.0, "high": 1.0},
        {"high": float("inf")},
        {"low": float("nan")},
        {"test_fraction": 0.0},
        {"test_fraction": 1.5},
        {"test_fraction": float("nan")},
        {"split_seed": -1},
        {"max_pixels": 0},
        {"header": "second"},
        {"separator": "::"},
        {"separator": "\n"},
        {"classes": ("a", "a")},
    ],
)
def test_a_value_out_of_range_is_an_error(wrong):
    with pytest.raises(UsageError):
        DataOptions(**wrong)


def test_an_option_that_would_be_ignored_is_an_error():
    with pytest.raises(UsageError, match="'header' means nothing for pictures"):
        DataOptions(header="none").require_only("pictures", ("low", "high"))
    DataOptions(low=0.0).require_only("pictures", ("low", "high"))


@given(st.sampled_from([{"test_fraction": 0.5}, {"split_seed": 1}]))
def test_a_source_with_splits_refuses_to_be_divided(option):
    with pytest.raises(UsageError, match="which has splits of its own"):
        DataOptions(**option).refuse_division("data.npz")
    DataOptions(label="y").refuse_division("data.npz")


def test_nothing_near_is_no_hint():
    assert nearest("zzzz", ["label"]) == ""
