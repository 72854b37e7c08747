"""Bounds and masks of a schema."""

from __future__ import annotations

import numpy as np
import pytest

from gambeson.core.errors import UsageError
from gambeson.data.schema import Feature, Kind, Schema

TABLE = Schema(
    (3,),
    ("no", "yes"),
    features=(
        Feature("age", Kind.INTEGER, 0, 120, frozen=True),
        Feature("income", Kind.NUMERIC, -5, 5),
        Feature("colour", Kind.CATEGORICAL, 0, 1, ("red", "blue")),
    ),
)
PICTURE = Schema((3, 2, 2), ("a", "b"), 0.0, 255.0)


def test_bounds_of_a_table_are_those_of_its_features():
    low, high = TABLE.bounds()
    assert low.tolist() == [0, -5, 0]
    assert high.tolist() == [120, 5, 1]
    assert low.dtype == high.dtype == np.float32


def test_bounds_of_a_picture_are_the_same_everywhere():
    low, high = PICTURE.bounds()
    assert low.shape == high.shape == (3, 2, 2)
    assert (low == 0).all()
    assert (high == 255).all()


def test_categorical_and_frozen_features_and_those_named_are_frozen():
    assert TABLE.frozen_mask().tolist() == [True, False, True]
    assert TABLE.frozen_mask(("income",)).all()
    assert not PICTURE.frozen_mask().any()


def test_an_unknown_frozen_feature_is_an_error():
    with pytest.raises(UsageError, match="'size' is not in the data"):
        TABLE.frozen_mask(("size",))


def test_only_numeric_features_may_be_fractions():
    assert TABLE.integer_mask().tolist() == [True, False, True]
    assert PICTURE.integer_mask().shape == (3, 2, 2)
    assert not PICTURE.integer_mask().any()


@pytest.mark.parametrize(
    ("shape", "is_image"), [((1, 8, 8), True), ((3, 4, 4), True), ((4, 8, 8), False), ((8,), False)]
)
def test_a_picture_has_one_or_three_channels(shape, is_image):
    assert Schema(shape, ("a", "b")).is_image is is_image
