import io

import numpy as np

import gambeson as gb
from gambeson.data.schema import Schema
from gambeson.data.sources import DataOptions
from gambeson.data.writing import rounded, to_csv, to_npz
from tests.poison_worlds import PICTURES, TABLE, pictures, table


def test_pictures_open_again_to_the_nearest_byte(tmp_path):
    x, y = pictures(40)
    path = tmp_path / "a.npz"
    path.write_bytes(to_npz(PICTURES, {"train": (x[:30], y[:30]), "test": (x[30:], y[30:])}))
    found, labels = gb.open_dataset(str(path)).split("train").take(np.arange(30))
    assert np.abs(found - x[:30]).max() <= 0.5 / 255 + 1e-6
    assert np.array_equal(found, rounded(PICTURES, x[:30]))
    assert np.array_equal(labels, y[:30])


def test_values_of_other_bounds_are_kept_exactly():
    schema = Schema((1, 2, 2), ("a", "b"), -1.0, 1.0)
    x = np.linspace(-1, 1, 8, dtype=np.float32).reshape(2, 1, 2, 2)
    with np.load(io.BytesIO(to_npz(schema, {"train": (x, np.array([0, 1]))})), allow_pickle=False) as stored:
        assert np.array_equal(stored["x_train"], x)
        assert stored["y_train"].tolist() == ["a", "b"]


def test_a_table_opens_again_exactly(tmp_path):
    x, y = table(50)
    path = tmp_path / "a.csv"
    path.write_text(to_csv(TABLE, {"train": (x[:40], y[:40]), "test": (x[40:], y[40:])}))
    data = gb.open_dataset(str(path), options=DataOptions(label="label", split="split"))
    found, labels = data.split("train").take(np.arange(40))
    assert np.array_equal(found, x[:40])
    assert [data.schema.classes[k] for k in labels] == [TABLE.classes[k] for k in y[:40]]
