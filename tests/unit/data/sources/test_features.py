"""Features of a table from names, kinds and ranges."""

from __future__ import annotations

import numpy as np
import pytest

from gambeson.core.errors import UsageError
from gambeson.data.schema import Feature, Kind
from gambeson.data.sources.features import make_features, name_columns, require_columns
from gambeson.data.sources.options import DataOptions

RANGES = (np.array([-1, 0], np.float32), np.array([2, 1], np.float32))


def features(options: DataOptions) -> tuple[Feature, ...]:
    return make_features(("a", "b"), (Kind.NUMERIC, Kind.CATEGORICAL), ((), ("x", "y", "z")), RANGES, options)


def test_bounds_are_the_range_of_the_data_and_all_categories():
    assert features(DataOptions()) == (
        Feature("a", Kind.NUMERIC, -1.0, 2.0),
        Feature("b", Kind.CATEGORICAL, 0.0, 2.0, ("x", "y", "z")),
    )


def test_given_bounds_hold_for_numbers_only():
    number, category = features(DataOptions(low=-5.0, high=5.0))
    assert (number.low, number.high) == (-5, 5)
    assert (category.low, category.high) == (0, 2)


def test_frozen_features_are_marked():
    assert [f.frozen for f in features(DataOptions(freeze=("b",)))] == [False, True]


def test_columns_without_names_are_counted():
    assert name_columns("data", 3, ()) == ("x0", "x1", "x2")


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (("a",), "has 2 columns, but 1 names"),
        (("a", "a"), "two columns called 'a'"),
        (("", "a"), "Column 0 of data has no name"),
    ],
)
def test_wrong_names_are_errors(given, message):
    with pytest.raises(UsageError, match=message):
        name_columns("data", 2, given)


def test_an_unknown_column_gets_the_nearest_name():
    with pytest.raises(UsageError, match=r"freeze=agee: data has no such column") as caught:
        require_columns("data", "freeze", ("agee",), ("age", "sex"))
    assert caught.value.remedy == "did you mean 'age'?"
