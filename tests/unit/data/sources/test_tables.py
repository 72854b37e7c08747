"""From chunks of cells to a dataset."""

from __future__ import annotations

import numpy as np
import pytest

from gambeson.core.errors import IntegrityError, UsageError
from gambeson.data.dataset import Dataset
from gambeson.data.schema import Feature, Kind
from gambeson.data.sources.options import DataOptions
from gambeson.data.sources.tables import TableFile, build_table

ROWS = [
    ("23", "red", "1.5", "b", "no"),
    ("42", "?", "2.5", "a", "yes"),
    ("31", "blue", "-1.0", "a", "no"),
    ("60", "red", "0.0", "b", "yes"),
]
NAMES = ("age", "colour", "height", "part", "label")


@pytest.fixture
def build(tmp_path):
    """Builds a table of some rows, two in a chunk."""
    path = tmp_path / "table"
    path.write_bytes(b"content")

    def run(rows=ROWS, names=NAMES, **options) -> Dataset:
        def chunks(texts):
            for start in range(0, len(rows), 2):
                block = rows[start : start + 2]
                yield list(zip(*block, strict=True)), range(start, start + len(block))

        usual = {"drop": ("part",)} | ({} if "split" in options else {"test_fraction": 1.0})
        return build_table(TableFile(path, names, "row", chunks), DataOptions(**usual | options))

    return run


def test_columns_become_features_with_kinds_and_bounds(build):
    data = build(freeze=("age",))
    assert data.schema.features == (
        Feature("age", Kind.INTEGER, 23, 60, frozen=True),
        Feature("colour", Kind.CATEGORICAL, 0, 2, ("?", "blue", "red")),
        Feature("height", Kind.NUMERIC, -1, 2.5),
    )
    x, y = data.split("test").take(np.arange(4))
    assert x.tolist() == [[23, 2, 1.5], [42, 0, 2.5], [31, 1, -1], [60, 2, 0]]
    assert data.schema.classes == ("no", "yes")
    assert y.tolist() == [0, 1, 0, 1]


@pytest.mark.parametrize("label", ["colour", "1", "-4"])
def test_the_label_is_found_by_name_or_number(build, label):
    data = build(label=label, missing=("none",))
    assert data.schema.classes == ("?", "blue", "red")
    assert "colour" not in [f.name for f in data.schema.features]


def test_a_column_may_name_the_splits(build):
    data = build(split="part", drop=())
    assert {name: split.rows.tolist() for name, split in data.splits.items()} == {"a": [1, 2], "b": [0, 3]}
    assert [f.name for f in data.schema.features] == ["age", "colour", "height"]
    assert data.drawn == ""


def test_numbers_may_be_categories(build):
    data = build(categorical=("age",))
    assert data.schema.features[0].categories == ("23", "31", "42", "60")


def test_given_bounds_hold_for_numbers(build):
    data = build(low=-10.0, high=100.0)
    assert [(f.low, f.high) for f in data.schema.features] == [(-10, 100), (0, 2), (-10, 100)]
    assert build(low=5.0, drop=("part", "height")).schema.features[1].low == 0
    with pytest.raises(UsageError, match="row 1, column 'age' is 42, above the bound high=41"):
        build(high=41.0)


def test_a_dropped_column_is_not_looked_at(build):
    rows = [(*row[:3], bad, row[4]) for row, bad in zip(ROWS, ["1", "x", "inf", ""], strict=True)]
    assert len(build(rows).split("test")) == 4
    with pytest.raises(UsageError, match="'part' holds numbers"):
        build(rows, drop=())


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"label": "lable"}, "label=lable"),
        ({"label": "9"}, "label=9"),
        ({"label": "part"}, "label=part"),
        ({"freeze": ("agee",)}, "freeze=agee"),
        ({"freeze": ("label",)}, "freeze=label"),
        ({"categorical": ("agee",)}, "categorical=agee"),
        ({"drop": ("agee",)}, "drop=agee"),
        ({"split": "agee"}, "split=agee"),
        ({"split": "label"}, "leaves no features or no labels"),
        ({"drop": ("age", "colour", "height", "part")}, "leaves no features"),
        ({"drop": NAMES}, "leaves no features"),
        ({"label": "height"}, "has the label -1.0|1.5, which is no integer"),
        ({"drop": (), "split": "part", "test_fraction": 0.5}, "splits of its own"),
        ({"missing": ("no",)}, "row 0: column 'label' is missing"),
    ],
)
def test_columns_that_do_not_fit_are_errors(build, options, message):
    with pytest.raises(UsageError, match=message):
        build(**options)


def test_a_table_without_rows_is_an_error(build):
    with pytest.raises(UsageError, match="has no rows"):
        build([])


def test_a_table_that_changes_between_the_passes_is_an_error(tmp_path):
    path, passes = tmp_path / "table", iter([["a", "b"], ["a", "c"]])
    path.write_bytes(b"")

    def chunks(texts):
        yield [next(passes), ["0", "1"]], [0, 1]

    with pytest.raises(IntegrityError, match="changed while it was read"):
        build_table(TableFile(path, ("x", "y"), "row", chunks), DataOptions())
