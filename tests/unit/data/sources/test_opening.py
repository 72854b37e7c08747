"""One door to every data source."""

from __future__ import annotations

import gzip
import pickle

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from gambeson.core.errors import GambesonError, Refused, UsageError
from gambeson.data.sources import DataOptions, describe, open_dataset
from tests.unit.data.sources.picture_files import noise, picture

TABLE = b"a,y\n" + b"1,x\n2,z\n" * 4


@pytest.mark.parametrize("name", ["d.csv", "d.CSV", "d.tsv", "d.data", "d.txt", "d.csv.gz", "d.data.gz"])
def test_a_table_of_text_is_known_by_its_name(tmp_path, name):
    (tmp_path / name).write_bytes(gzip.compress(TABLE) if name.endswith("gz") else TABLE)
    data = open_dataset(tmp_path / name)
    assert data.name == str(tmp_path / name)
    assert {split: len(rows) for split, rows in data.splits.items()} == {"train": 6, "test": 2}


@pytest.mark.parametrize("name", ["d.parquet", "d.pq"])
def test_parquet_is_known_by_its_name(tmp_path, name):
    pq.write_table(pa.table({"a": [1, 2] * 4, "y": ["x", "z"] * 4}), tmp_path / name)
    assert len(open_dataset(str(tmp_path / name)).split("test")) == 2


def test_arrays_and_folders_are_known(tmp_path):
    np.savez(tmp_path / "d.npz", x=np.eye(8), y=np.arange(8) % 2)
    assert open_dataset(tmp_path / "d.npz").schema.shape == (8,)
    for seed, name in enumerate(["a", "b"]):
        (tmp_path / "root" / name).mkdir(parents=True)
        (tmp_path / "root" / name / "1.png").write_bytes(picture(noise(seed)))
    assert open_dataset(tmp_path / "root", options=DataOptions(test_fraction=1.0)).schema.is_image


def test_builtin_data_is_known_by_its_scheme():
    data = open_dataset("builtin:digits")
    assert data.name == "builtin:digits"
    assert dict(describe(data))["rows in test"] == "539"


@pytest.mark.parametrize("uri", ["https://example.org/data.npz", "s3://bucket/data.csv", "bultin:digits"])
def test_what_is_not_on_this_machine_is_an_error(uri):
    with pytest.raises(UsageError, match="is no file of this machine"):
        open_dataset(uri)


@pytest.mark.parametrize("name", ["nothing.npz", "nothing.csv", "nothing.parquet", "nothing", "no/folder"])
def test_a_missing_file_is_one_clear_error(tmp_path, name):
    with pytest.raises(UsageError, match="does not exist"):
        open_dataset(tmp_path / name)


def test_an_unknown_extension_says_what_the_file_holds(tmp_path):
    (tmp_path / "data.dat").write_bytes(b"a,b\n1,2\n")
    with pytest.raises(UsageError, match=r"data\.dat does not tell .* it holds text"):
        open_dataset(tmp_path / "data.dat")


@pytest.mark.parametrize("name", ["d.npz", "d.csv", "d.csv.gz", "d.parquet", "d.pkl", "d"])
@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
def test_a_pickle_is_refused_under_any_name(tmp_path, name, protocol):
    (tmp_path / name).write_bytes(pickle.dumps({"x": [1]}, protocol))
    with pytest.raises(Refused, match="a Python pickle"):
        open_dataset(tmp_path / name)


@pytest.mark.parametrize("name", ["d.npz", "d.csv", "d.csv.gz", "d.parquet"])
@pytest.mark.parametrize(
    "content", [b"", b"\0" * 64, b"PK\x03\x04", b"PAR1PAR1", b"\x1f\x8b\x08", b"hello", b"("]
)
def test_every_error_says_what_was_expected_or_what_to_do(tmp_path, name, content):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(GambesonError) as caught:
        open_dataset(tmp_path / name)
    assert caught.value.expected or caught.value.remedy
    assert str(tmp_path / name) in caught.value.message
