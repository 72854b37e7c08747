"""Datasets from .npz archives."""

from __future__ import annotations

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
from gambeson.data.schema import Feature, Kind
from gambeson.data.sources.npz import open_npz
from gambeson.data.sources.options import DataOptions
from tests.unit.data.sources.picture_files import noise, picture

ALL_TEST = DataOptions(test_fraction=1.0)
Y = np.array([0, 1, 1, 0])
PIXELS = noise(0, (4, 6, 5, 3))


def opened(folder: Path, options: DataOptions = DataOptions(), **arrays: np.ndarray) -> Dataset:  # noqa: B008
    path = folder / "data.npz"
    np.savez_compressed(path, **arrays)
    return open_npz(path, options)


def rows(data: Dataset, split: str = "test") -> np.ndarray:
    return data.split(split).take(np.arange(len(data.split(split))))[0]


tables = hnp.arrays(
    st.sampled_from([np.float32, np.float64]), st.tuples(st.integers(2, 20), st.integers(1, 4)),
    elements=st.floats(-1e6, 1e6, width=32, allow_subnormal=False),
)  # fmt: skip


@given(tables, st.booleans(), st.integers(1, 25))
def test_a_table_comes_back_whole_and_in_batches(tmp_path_factory, x, compressed, size):
    path = tmp_path_factory.mktemp("npz") / "data.npz"
    y = np.arange(len(x)) % 2
    (np.savez_compressed if compressed else np.savez)(path, x=x, y=y)
    data = open_npz(path, ALL_TEST)
    split = data.split("test")
    all_x, all_y = split.take(np.arange(len(x)))
    assert np.array_equal(all_x, x.astype(np.float32))
    assert np.array_equal(all_y, y)
    assert np.array_equal(np.concatenate([b for b, _ in split.batches(size)]), all_x)
    assert np.array_equal(data.schema.bounds(), (all_x.min(axis=0), all_x.max(axis=0)))


@pytest.mark.parametrize(
    ("array", "expected"),
    [
        (PIXELS[..., 0], PIXELS[:, None, :, :, 0]),
        (PIXELS, np.moveaxis(PIXELS, -1, 1)),
        (np.moveaxis(PIXELS, -1, 1), np.moveaxis(PIXELS, -1, 1)),
    ],
    ids=["grey", "channels last", "channels first"],
)
def test_uint8_pictures_come_channels_first_from_0_to_1(tmp_path, array, expected):
    data = opened(tmp_path, ALL_TEST, images=array, labels=Y)
    assert np.allclose(rows(data), expected / 255, rtol=1e-7, atol=0)
    assert (data.schema.shape, data.schema.low, data.schema.high) == (expected.shape[1:], 0, 1)
    assert data.schema.features == ()


def test_uint8_pictures_may_stay_bytes(tmp_path):
    data = opened(tmp_path, DataOptions(test_fraction=1.0, scale=False), x=PIXELS, y=Y)
    assert np.array_equal(rows(data), np.moveaxis(PIXELS, -1, 1))
    assert data.schema.high == 255


@pytest.mark.parametrize(("factor", "bounds"), [(1.0, (0.0, 1.0)), (2.0, (0.0, 2.0)), (-1.0, (-1.0, 0.0))])
def test_float_pictures_are_bounded_by_0_and_1_or_by_their_range(tmp_path, factor, bounds):
    x = np.linspace(0, factor, 4 * 9).reshape(4, 3, 3)
    schema = opened(tmp_path, ALL_TEST, x=x, y=Y).schema
    assert (schema.low, schema.high) == bounds


def test_given_bounds_win(tmp_path):
    x = np.linspace(-1, 1, 36).reshape(4, 3, 3)
    schema = opened(tmp_path, DataOptions(low=-2.0, high=3.0, test_fraction=1.0), x=x, y=Y).schema
    assert (schema.low, schema.high) == (-2, 3)


@pytest.mark.parametrize(
    "names",
    [
        ("x_train", "y_train", "x_test", "y_test"),
        ("X_train", "y_train", "X_test", "y_test"),
        ("train_images", "train_labels", "test_images", "test_labels"),
    ],
)
def test_splits_of_the_archive_are_kept(tmp_path, names):
    arrays = dict(zip(names, (PIXELS[:3], Y[:3], PIXELS[3:], Y[3:]), strict=True))
    data = opened(tmp_path, **arrays)
    assert {name: len(split) for name, split in data.splits.items()} == {"train": 3, "test": 1}
    assert np.allclose(rows(data) * 255, np.moveaxis(PIXELS[3:], -1, 1), atol=1e-4)
    assert data.drawn == ""


def test_test_rows_alone_are_enough(tmp_path):
    assert list(opened(tmp_path, x_test=PIXELS, y_test=Y).splits) == ["test"]


@pytest.mark.parametrize(
    "names", [("x", "y"), ("X", "Y"), ("X", "y"), ("images", "labels"), ("data", "target")]
)
def test_one_set_is_divided_and_says_so(tmp_path, names):
    data = opened(tmp_path, **dict(zip(names, (np.eye(40), np.arange(40) % 2), strict=True)))
    assert {name: len(split) for name, split in data.splits.items()} == {"train": 30, "test": 10}
    assert data.drawn == "drawn class by class: test_fraction=0.25, split_seed=0"


def test_encoded_pictures_are_decoded(tmp_path):
    files = [picture(PIXELS[row]) for row in range(4)]
    data = opened(
        tmp_path, ALL_TEST,
        bytes=np.frombuffer(b"".join(files), np.uint8), offsets=np.cumsum([0, *map(len, files)]), labels=Y,
    )  # fmt: skip
    assert np.allclose(rows(data) * 255, np.moveaxis(PIXELS, -1, 1), atol=1e-4)
    assert (data.schema.low, data.schema.high) == (0, 1)


def test_integers_make_integer_features_and_names_are_kept(tmp_path):
    options = DataOptions(names=("a", "b"), freeze=("b",), test_fraction=1.0)
    data = opened(tmp_path, options, x=np.array([[1, 5], [2, 5], [0, 7], [1, 6]]), y=Y)
    assert data.schema.features == (
        Feature("a", Kind.INTEGER, 0.0, 2.0),
        Feature("b", Kind.INTEGER, 5.0, 7.0, frozen=True),
    )


def test_labels_may_be_names_and_have_another_name(tmp_path):
    names = np.array(["dog", "cat", "cat", "dog"])
    data = opened(tmp_path, DataOptions(label="animal", test_fraction=1.0), x=np.eye(4), y=Y, animal=names)
    assert data.schema.classes == ("cat", "dog")
    assert data.split("test").take(np.arange(4))[1].tolist() == [1, 0, 0, 1]


def test_one_byte_changes_the_digest(tmp_path):
    digests = {opened(tmp_path, ALL_TEST, x=np.eye(4) * value, y=Y).digest for value in (1, 1, 2)}
    assert len(digests) == 2


def nan_at(row: int, column: int) -> np.ndarray:
    x = np.ones((4, 3))
    x[row, column] = np.nan
    return x


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"x_train": np.ones((4, 3)), "y_train": Y, "x_test": nan_at(2, 1), "y_test": Y},
         r"split 'test', row 2, column 'x1' is nan"),
        ({"x": nan_at(3, 0), "y": Y}, r"data.npz, row 3, column 'x0' is nan"),
        ({"x": np.full((4, 2, 2), np.inf), "y": Y}, r"row 0, value \(0, 0, 0\) is inf"),
        ({"x": np.full((4, 2), 1e300), "y": Y}, "is inf"),
        ({"x": np.eye(4), "y": Y - 1}, "row 0 has the label -1"),
        ({"x": np.eye(4), "y": Y + 0.5}, "row 0 has the label 0.5, which is no integer"),
        ({"x": np.eye(4), "y": np.eye(4)}, r"labels.argmax\(axis=1\)"),
        ({"x": np.eye(4), "y": Y[:3]}, "4 rows of features but 3 labels"),
        ({"x": np.eye(4)[:0], "y": Y[:0]}, "has no rows"),
        ({"x_train": np.eye(4), "y_train": Y, "x_test": np.eye(4)[:0], "y_test": Y[:0]},
         "split 'test' has no rows"),
        ({"x_train": np.eye(4), "y_train": Y, "x_test": np.eye(4)[:, :3], "y_test": Y}, "different shapes"),
        ({"x_train": PIXELS, "y_train": Y, "x_test": PIXELS / 255, "y_test": Y}, "uint8 and others are not"),
        ({"x_train": np.eye(4), "x_test": np.eye(4), "y_test": Y}, "'x_train' without its counterpart"),
        ({"a": np.eye(4), "b": Y}, "holds no features with labels; it holds a, b"),
        ({"x": np.array(["a"] * 4), "y": Y}, "has shape"),
    ],
)  # fmt: skip
def test_arrays_that_cannot_be_used_are_one_clear_error(tmp_path, arrays, message):
    with pytest.raises(UsageError, match=message):
        opened(tmp_path, **arrays)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (DataOptions(low=0.25), "column 'x1' is 0, below the bound low=0.25"),
        (DataOptions(high=0.5), "column 'x0' is 1, above the bound high=0.5"),
        (DataOptions(label="z"), "has no array 'z'"),
        (DataOptions(freeze=("z",)), "freeze=z"),
        (DataOptions(names=("a",)), "4 columns, but 1 names"),
        (DataOptions(header="none"), "'header' means nothing"),
        (DataOptions(classes=("only",)), "label 1"),
    ],
)
def test_options_that_do_not_fit_are_one_clear_error(tmp_path, options, message):
    with pytest.raises(UsageError, match=message):
        opened(tmp_path, options, x=np.eye(4), y=Y)


def test_a_division_of_given_splits_is_an_error(tmp_path):
    with pytest.raises(UsageError, match="splits of its own"):
        opened(tmp_path, DataOptions(test_fraction=0.5), x_test=np.eye(4), y_test=Y)


@pytest.mark.parametrize(
    ("content", "error", "message"),
    [
        (b"", IntegrityError, "an empty file"),
        (b"a,b\n1,2\n", IntegrityError, "holds text"),
        (b"PK\x03\x04" + bytes(100), IntegrityError, "cut off or damaged"),
        (pickle.dumps({"x": 1}), Refused, "a Python pickle"),
    ],
)
def test_other_content_is_one_clear_error(tmp_path, content, error, message):
    (tmp_path / "data.npz").write_bytes(content)
    with pytest.raises(error, match=message):
        open_npz(tmp_path / "data.npz", DataOptions())


def test_objects_are_refused(tmp_path):
    with pytest.raises(Refused, match="never unpickles"):
        opened(tmp_path, x=np.array([{}, {}], object), y=np.array([0, 1]))


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_a_set_larger_than_the_memory_it_may_take_is_opened_and_read(tmp_path, monkeypatch, save):
    x = np.zeros((10_000, 800), np.float32)
    x[-1, -1] = 1
    save(tmp_path / "big.npz", x_test=x, y_test=np.arange(len(x)) % 2)
    monkeypatch.setattr(validation, "_VALUES", 1 << 18)  # reads 1 MiB at a time
    tracemalloc.start()
    data = open_npz(tmp_path / "big.npz", DataOptions())
    total = sum(float(b.sum()) for b, _ in data.split("test").batches(256))
    last = data.split("test").take(np.array([9_999]))[0]
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert total == last[0, -1] == 1
    assert peak < x.nbytes / 4


def test_real_mnist(real_data):
    data = open_npz(real_data("mnist.npz"), DataOptions())
    assert {name: len(split) for name, split in data.splits.items()} == {"train": 60_000, "test": 10_000}
    assert data.schema.shape == (1, 28, 28)
    x, y = next(iter(data.split("test").batches(100)))
    assert (x.min(), x.max()) == (0, 1)
    assert set(y) == set(range(10))


def test_real_encoded_cifar(real_data):
    data = open_npz(real_data("cifar10_test_jpeg.npz"), ALL_TEST)
    assert data.schema.shape == (3, 32, 32)
    assert len(data.schema.classes) == 10
    x, _ = data.split("test").take(np.array([9_999, 0]))
    assert 0 <= x.min() < x.max() <= 1


def test_real_location(real_data):
    data = open_npz(real_data("location30.npz"), DataOptions())
    assert len(data.schema.features) == 446
    assert {(f.kind, f.low, f.high) for f in data.schema.features} == {(Kind.INTEGER, 0, 1)}
    assert len(data.schema.classes) == 30
