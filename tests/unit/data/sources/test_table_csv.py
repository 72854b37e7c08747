"""Datasets from CSV files."""

from __future__ import annotations

import csv
import gzip
import io
import pickle
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from gambeson.core.errors import IntegrityError, Refused, UsageError
from gambeson.data import validation
from gambeson.data.dataset import Dataset
from gambeson.data.schema import Kind
from gambeson.data.sources import table_csv, tables
from gambeson.data.sources.options import DataOptions
from gambeson.data.sources.table_csv import open_csv

ADULT = """39, State-gov, 77516, Bachelors, <=50K
50, ?, 83311, HS-grad, >50K

38, Private, 215646, Masters, <=50K
28, Private, 338409, Bachelors, >50K
"""


SMALL = st.floats(-9, 9, width=32)


def opened(folder: Path, text: str | bytes, name: str = "data.csv", **options) -> Dataset:
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return open_csv(path, DataOptions(**{"test_fraction": 1.0} | options))


def rows(data: Dataset) -> tuple[np.ndarray, np.ndarray]:
    return data.split("test").take(np.arange(len(data.split("test"))))


def test_a_file_like_adult_is_read_without_any_option(tmp_path):
    data = opened(tmp_path, gzip.compress(ADULT.encode()), "adult.data.gz")
    assert [f.kind for f in data.schema.features] == [Kind.INTEGER, Kind.CATEGORICAL] * 2
    assert data.schema.features[1].categories == ("?", "Private", "State-gov")
    assert data.schema.classes == ("<=50K", ">50K")
    x, y = rows(data)
    assert x.tolist() == [[39, 2, 77516, 0], [50, 0, 83311, 1], [38, 1, 215646, 2], [28, 1, 338409, 0]]
    assert y.tolist() == [0, 1, 0, 1]


@given(
    hnp.arrays(np.float32, st.tuples(st.integers(1, 12), st.integers(1, 4)), elements=SMALL),
    st.sampled_from(",;\t|"), st.booleans(), st.integers(1, 30),
)  # fmt: skip
def test_numbers_come_back_whole_and_in_batches(tmp_path_factory, x, separator, packed, cells):
    text = io.StringIO()
    writer = csv.writer(text, delimiter=separator)
    writer.writerow([*(f"f{column}" for column in range(x.shape[1])), "y"])
    writer.writerows([*map(repr, map(float, row)), number % 2] for number, row in enumerate(x))
    content = text.getvalue().encode()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tables, "CELLS", cells)
        name = "data.csv.gz" if packed else "data.csv"
        folder = tmp_path_factory.mktemp("csv")
        data = opened(folder, gzip.compress(content) if packed else content, name, classes=("0", "1"))
    assert np.array_equal(rows(data)[0], x)
    assert np.array_equal(rows(data)[1], np.arange(len(x)) % 2)
    assert np.array_equal(np.concatenate([b for b, _ in data.split("test").batches(5)]), x)
    assert [f.name for f in data.schema.features] == [f"f{column}" for column in range(x.shape[1])]


@given(st.lists(st.tuples(st.text("ab,; \"'", min_size=1), st.sampled_from("xy")), min_size=1))
def test_quoted_texts_come_back(tmp_path_factory, cells):
    cells = [*cells, ("a", "x"), ("a", "y")]
    text = io.StringIO()
    csv.writer(text, quoting=csv.QUOTE_ALL).writerows([("text", "label"), *cells])
    data = opened(tmp_path_factory.mktemp("csv"), text.getvalue(), separator=",")
    names = data.schema.features[0].categories
    back = [names[int(code)] for code in rows(data)[0][:, 0]]
    assert back == [cell.strip() or "(missing)" for cell, _ in cells]


@pytest.mark.parametrize(
    ("text", "options", "names"),
    [
        ("a,b,c\n1,2,x\n3,4,y\n", {}, ["a", "b"]),
        ("1,2,x\n3,4,y\n", {}, ["x0", "x1"]),
        ("1,2,x\n3,4,y\n", {"names": ("p", "q", "r")}, ["p", "q"]),
        ("a,b,c\n1,2,x\n3,4,y\n", {"names": ("p", "q", "r")}, ["p", "q"]),
        ("2019,2020,c\n1,2,x\n3,4,y\n", {"header": "first"}, ["2019", "2020"]),
        ("u,v,x\nw,v,y\n", {"header": "none"}, ["x0", "x1"]),
        ("\ufeffa,b,c\n1,2,x\n3,4,y\n", {}, ["a", "b"]),
    ],
    ids=["found", "none", "names given", "names replaced", "numbers as names", "texts", "byte-order mark"],
)
def test_the_header_is_found_or_given(tmp_path, text, options, names):
    data = opened(tmp_path, text, **options)
    assert [f.name for f in data.schema.features] == names
    assert len(data.split("test")) == 2


@pytest.mark.parametrize(
    ("text", "options"),
    [
        ("1,5;2,5;x\n3,5;4,5;y\n", {"header": "none"}),
        ("1\ta, or b\tx\n3\tc\ty\n", {}),
        ("1 2 x\n3  4 y\n", {"separator": " "}),
    ],
)
def test_the_separator_is_found_or_given(tmp_path, text, options):
    assert len(opened(tmp_path, text, **options).schema.features) == 2


def test_one_byte_changes_the_digest(tmp_path):
    digests = {opened(tmp_path, f"1,x\n{value},y\n").digest for value in (2, 2, 3)}
    assert len(digests) == 2


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a,b,y\n1,2,x\n\n1,2\n3,4,z\n", r"data\.csv, line 4 has 2 cells.\nExpected: 3, as in the first row"),
        ("a,b,y\n1,2,x\n1,2,3,x\n", r"line 3 has 4 cells"),
        ("a,y\nnan,x\n1,z\n", r"line 3: column 'a' holds texts|a number in column 'a' is missing"),
        ("a,y\n1,x\ninf,z\n", r"line 3: a number in column 'a' is inf"),
        ("a,y\n1,x\n,z\n", r"line 3: a number in column 'a' is missing"),
        ("a,y\n1,x\n2,\n", r"line 3: column 'y' is missing"),
        ("a,y\n1,x\n2,x\n", r"make 1 class"),
        ("a,y\n1,0.5\n2,1\n", r"0.5, which is no integer"),
        ("a,y\n1e300,x\n2,z\n", r"row 0, column 'a' is inf"),
        ("a,y\n", r"has no rows"),
        ("\n\n", r"one column only|has no rows"),
        ("abc\ndef\n", r"one column only"),
        ("a,a,y\n1,2,x\n3,4,z\n", r"two columns called 'a'"),
        (",a,y\n0,2,x\n1,4,z\n", r"Column 0 .* has no name"),
        ('a,y\n1,"x\n2,z\n', r"line 3: unexpected end of data"),
        ("a,y\n1,x\n".encode("latin1") + b"\xe4,z\n", r"not UTF-8 text: .* 0xe4"),
    ],
)
def test_bad_text_is_one_clear_error(tmp_path, text, message):
    with pytest.raises(UsageError, match=message):
        opened(tmp_path, text)


@pytest.mark.parametrize(
    ("name", "content", "error", "message"),
    [
        ("data.csv", b"", IntegrityError, "an empty file"),
        ("data.csv", gzip.compress(b"a,b\n", mtime=0), IntegrityError, "gzip-compressed data"),
        ("data.csv.gz", b"a,b\n1,2\n", IntegrityError, "holds text"),
        ("data.csv", b"PK\x03\x04", IntegrityError, "a zip archive"),
        ("data.csv", "a,y\n1,x\n2,z\n".encode("utf-16"), IntegrityError, "binary data"),
        ("data.csv", pickle.dumps([1, 2]), Refused, "a Python pickle"),
        (
            "data.csv.gz",
            gzip.compress(ADULT.encode() * 50, mtime=0)[:-20],
            IntegrityError,
            "cut off or damaged",
        ),
        (
            "data.csv.gz",
            gzip.compress(ADULT.encode(), mtime=0)[:-5] + b"12345",
            IntegrityError,
            "cut off or damaged",
        ),
    ],
)
def test_other_content_is_one_clear_error(tmp_path, name, content, error, message):
    with pytest.raises(error, match=message):
        opened(tmp_path, content, name)


def test_a_line_without_an_end_does_not_fill_the_memory(tmp_path, monkeypatch):
    monkeypatch.setattr(table_csv, "_LONGEST_LINE", 1000)
    with pytest.raises(UsageError, match="a line of over 1,000 characters"):
        opened(tmp_path, "a,y\n1," + "x" * 2000)


def test_memory_holds_a_chunk_and_not_the_table(tmp_path, monkeypatch):
    monkeypatch.setattr(tables, "CELLS", 2_000)
    monkeypatch.setattr(validation, "_VALUES", 2_000)
    line = ",".join(["0." + "123456789" * 20] * 25)
    text = f"{line},0\n{line},1\n".encode() * 2_000
    tracemalloc.start()
    data = opened(tmp_path, text)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert len(data.split("test")) == 4_000
    assert peak < len(text) / 4  # of 18 MB


def test_real_adult(real_data):
    data = open_csv(real_data("adult.data.gz"), DataOptions(label="14"))
    assert sum(map(len, data.splits.values())) == 32_561
    kinds = [f.kind for f in data.schema.features]
    assert (kinds.count(Kind.INTEGER), kinds.count(Kind.CATEGORICAL)) == (6, 8)
    assert data.schema.classes == ("<=50K", ">50K")
    assert sum("?" in f.categories for f in data.schema.features) == 3
