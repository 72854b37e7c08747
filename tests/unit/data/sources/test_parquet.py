"""Datasets from Parquet files."""

from __future__ import annotations

import datetime
import pickle
from decimal import Decimal
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from gambeson.core.errors import IntegrityError, Refused, UsageError
from gambeson.data.dataset import Dataset
from gambeson.data.schema import Kind
from gambeson.data.sources import tables
from gambeson.data.sources.options import DataOptions
from gambeson.data.sources.parquet import open_parquet

SMALL = st.floats(-9, 9, width=32)
LABELS = pa.array(["no", "yes", "no", "yes"])


def opened(folder: Path, columns: dict[str, pa.Array], group: int = 3, **options) -> Dataset:
    path = folder / "data.parquet"
    pq.write_table(pa.table(columns), path, row_group_size=group)
    return open_parquet(path, DataOptions(**{"test_fraction": 1.0} | options))


def rows(data: Dataset) -> tuple[np.ndarray, np.ndarray]:
    return data.split("test").take(np.arange(len(data.split("test"))))


@given(
    hnp.arrays(np.float32, st.tuples(st.integers(2, 12), st.integers(1, 3)), elements=SMALL),
    st.integers(1, 5), st.integers(1, 20),
)  # fmt: skip
def test_numbers_come_back_whole_and_in_batches(tmp_path_factory, x, group, cells):
    columns = {f"f{place}": pa.array(x[:, place]) for place in range(x.shape[1])}
    columns["y"] = pa.array(np.arange(len(x)) % 2)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tables, "CELLS", cells)
        data = opened(tmp_path_factory.mktemp("parquet"), columns, group)
    assert np.array_equal(rows(data)[0], x)
    assert np.array_equal(rows(data)[1], np.arange(len(x)) % 2)
    assert np.array_equal(np.concatenate([b for b, _ in data.split("test").batches(5)]), x)


@pytest.mark.parametrize(
    ("column", "kind", "values"),
    [
        (pa.array([1, 2, 3, 4]), Kind.INTEGER, [1, 2, 3, 4]),
        (pa.array([1.0, 2.0, 3.0, 4.5]), Kind.NUMERIC, [1, 2, 3, 4.5]),
        (pa.array([True, False, True, True]), Kind.INTEGER, [1, 0, 1, 1]),
        (pa.array([Decimal("1.5")] * 4), Kind.NUMERIC, [1.5] * 4),
        (pa.array(["b", "a", None, "b"]), Kind.CATEGORICAL, [2, 1, 0, 2]),
        (pa.array(["10", "9", "9", "10"]), Kind.CATEGORICAL, [1, 0, 0, 1]),
        (pa.array(["b", "a", "a", "b"]).dictionary_encode(), Kind.CATEGORICAL, [1, 0, 0, 1]),
        (pa.array([7, 5, 5, 7]).dictionary_encode(), Kind.INTEGER, [7, 5, 5, 7]),
    ],
)
def test_types_become_kinds(tmp_path, column, kind, values):
    data = opened(tmp_path, {"a": column, "label": LABELS})
    assert data.schema.features[0].kind is kind
    assert rows(data)[0][:, 0].tolist() == values


def test_a_null_among_texts_is_a_category(tmp_path):
    data = opened(tmp_path, {"a": pa.array(["b", None, "b", "c"]), "label": LABELS})
    assert data.schema.features[0].categories == ("(missing)", "b", "c")


@pytest.mark.parametrize(
    "labels", [pa.array([0, 1, 1, 0]), pa.array([0.0, 1, 1, 0]), pa.array([False, True, True, False])]
)
def test_labels_may_be_of_any_type(tmp_path, labels):
    data = opened(tmp_path, {"label": labels, "a": pa.array([1, 2, 3, 4])}, label="label")
    assert rows(data)[1].tolist() == [0, 1, 1, 0]


def test_splits_may_be_named_by_a_column(tmp_path):
    columns = {"a": pa.array([1, 2, 3, 4]), "part": pa.array(["train", "test"] * 2), "label": LABELS}
    data = opened(tmp_path, columns, split="part", test_fraction=0.25)
    assert {name: split.rows.tolist() for name, split in data.splits.items()} == {
        "test": [1, 3],
        "train": [0, 2],
    }


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"a": pa.array([1, 2, None, 4]), "label": LABELS}, "row 2: a number in column 'a' is missing"),
        ({"a": pa.array([1, np.nan, 3, 4]), "label": LABELS}, "row 1: a number in column 'a' is missing"),
        ({"a": pa.array([1, 2, 3, np.inf]), "label": LABELS}, "row 3: a number in column 'a' is inf"),
        ({"a": pa.array([1, 2]), "label": pa.array(["x", None])}, "row 1: column 'label' is missing"),
        ({"a": pa.array([datetime.date.today()] * 4), "label": LABELS}, "'a' of .* is of type date32"),
        ({"a": pa.array([[1], [2], [3], [4]]), "label": LABELS}, "is of type list"),
        ({"a": pa.array([], pa.int64()), "label": pa.array([], pa.string())}, "has no rows"),
        ({"label": LABELS}, "leaves no features"),
        (
            {"a": LABELS, "label": LABELS, "__index_level_0__": pa.array([1, 2, 3, 4])},
            "row index of a pandas",
        ),
    ],
)
def test_columns_that_cannot_be_used_are_one_clear_error(tmp_path, columns, message):
    with pytest.raises(UsageError, match=message):
        opened(tmp_path, columns)


def test_a_row_is_counted_over_all_batches(tmp_path, monkeypatch):
    monkeypatch.setattr(tables, "CELLS", 4)
    with pytest.raises(UsageError, match="row 3: a number"):
        opened(tmp_path, {"a": pa.array([1, 2, 3, None]), "label": LABELS})


def test_a_column_of_another_type_may_be_dropped(tmp_path):
    columns = {"when": pa.array([datetime.date.today()] * 4), "a": pa.array([1, 2, 3, 4]), "label": LABELS}
    assert [f.name for f in opened(tmp_path, columns, drop=("when",)).schema.features] == ["a"]


def test_one_byte_changes_the_digest(tmp_path):
    digests = {
        opened(tmp_path, {"a": pa.array([1, 2, 3, last]), "label": LABELS}).digest for last in (4, 4, 5)
    }
    assert len(digests) == 2


def test_options_of_other_sources_are_errors(tmp_path):
    with pytest.raises(UsageError, match="'header' means nothing for a Parquet file"):
        opened(tmp_path, {"label": LABELS}, header="none")


@pytest.mark.parametrize(
    ("damage", "error", "message"),
    [
        (lambda data: b"", IntegrityError, "an empty file"),
        (lambda data: b"a,b\n1,2\n", IntegrityError, "holds text"),
        (lambda data: pickle.dumps([1]), Refused, "a Python pickle"),
        (lambda data: data[:-1], IntegrityError, "cut off or damaged"),
        (lambda data: data[: len(data) // 2], IntegrityError, "cut off or damaged"),
        (lambda data: data[:-20] + b"\xff" * 12 + data[-8:], IntegrityError, "cut off or damaged"),
    ],
)
def test_a_damaged_file_is_one_clear_error(tmp_path, damage, error, message):
    path = tmp_path / "data.parquet"
    pq.write_table(pa.table({"a": [1, 2], "label": ["x", "y"]}), path)
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(error, match=message):
        open_parquet(path, DataOptions())
