"""The facts of a dataset that a report shows."""

from __future__ import annotations

import numpy as np

from gambeson.data.dataset import ArraySplit, Dataset
from gambeson.data.describing import describe
from gambeson.data.schema import Feature, Kind, Schema


def dataset(schema: Schema, drawn: str = "") -> Dataset:
    split = ArraySplit(np.zeros((1500, *schema.shape)), np.zeros(1500, int))
    return Dataset("data", schema, {"train": split, "test": split}, "sha256:0", drawn)


def test_a_picture_set_is_described_by_rows_classes_shape_and_bounds():
    assert describe(dataset(Schema((3, 8, 9), ("cat", "dog")))) == (
        ("rows in train", "1,500"),
        ("rows in test", "1,500"),
        ("classes", "2: cat, dog"),
        ("shape of one input", "3 × 8 × 9"),
        ("input bounds", "[0, 1]"),
    )


def test_a_table_is_described_by_its_features():
    features = (
        Feature("age", Kind.INTEGER, 0, 120, frozen=True),
        Feature("height", Kind.NUMERIC, 0.5, 2.5),
        Feature("colour", Kind.CATEGORICAL, 0, 1, ("red", "blue")),
    )
    facts = dict(describe(dataset(Schema((3,), ("a", "b"), features=features), "drawn")))
    assert facts["splits"] == "drawn"
    assert facts["input bounds"] == "per feature, within [0, 120]"
    assert facts["features"] == "3: 1 categorical, 1 integer, 1 numeric"
    assert facts["frozen features"] == "age"


def test_a_long_list_of_classes_is_cut():
    schema = Schema((1,), tuple(map(str, range(30))), features=(Feature("x", low=0, high=1),))
    assert dict(describe(dataset(schema)))["classes"] == "30: 0, 1, 2, 3, 4, 5, 6, 7, 8, 9 and 20 more"


def test_what_is_sensitive_is_named():
    features = (Feature("age", Kind.INTEGER, 0, 120), Feature("sex", Kind.CATEGORICAL, 0, 1, ("f", "m")))
    schema = Schema((2,), ("a", "b"), features=features, sensitive=("age",), confidential=("sex", "f"))
    facts = dict(describe(dataset(schema)))
    assert (facts["sensitive features"], facts["confidential share"]) == ("age", "sex = f")
