"""The sets that scikit-learn brings along."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.datasets import load_breast_cancer, load_digits

from gambeson.core.errors import UsageError
from gambeson.data.sources.builtin import open_builtin
from gambeson.data.sources.options import DataOptions


@pytest.fixture(scope="module")
def digits():
    return open_builtin("digits", DataOptions())


def whole(data):
    """All rows of both splits, put back into the order of the source."""
    parts = [split.take(np.arange(len(split))) for split in data.splits.values()]
    order = np.argsort(np.concatenate([split.rows for split in data.splits.values()]))
    return tuple(np.concatenate(arrays)[order] for arrays in zip(*parts, strict=True))


def test_digits_are_pictures_from_0_to_1(digits):
    x, y = whole(digits)
    assert digits.schema.shape == (1, 8, 8)
    assert digits.schema.is_image
    assert np.array_equal(x[:, 0] * 16, load_digits().images)
    assert np.array_equal(y, load_digits().target)


def test_breast_cancer_is_a_table_bounded_by_its_range():
    data = open_builtin("breast_cancer", DataOptions(freeze=("mean area",)))
    x, y = whole(data)
    source = load_breast_cancer()
    assert np.array_equal(x, source.data.astype(np.float32))
    assert np.array_equal(y, source.target)
    low, high = data.schema.bounds()
    assert np.array_equal(low, x.min(axis=0))
    assert np.array_equal(high, x.max(axis=0))
    assert data.schema.classes == ("malignant", "benign")
    assert [f.name for f in data.schema.features if f.frozen] == ["mean area"]


@pytest.mark.parametrize("name", ["digits", "breast_cancer"])
def test_splits_are_70_to_30_class_by_class_and_always_alike(name):
    data, again = (open_builtin(name, DataOptions()) for _ in range(2))
    train, test = data.split("train"), data.split("test")
    assert len(test) / (len(train) + len(test)) == pytest.approx(0.3, abs=0.005)
    shares = [np.bincount(split.take(np.arange(len(split)))[1]) / len(split) for split in (train, test)]
    assert np.abs(shares[0] - shares[1]).max() < 0.005
    assert np.array_equal(test.rows, again.split("test").rows)
    assert data.digest == again.digest


def test_an_unknown_set_gets_the_nearest_name():
    with pytest.raises(UsageError, match="no built-in data 'digit'") as caught:
        open_builtin("digit", DataOptions())
    assert caught.value.remedy == "did you mean 'digits'?"


@pytest.mark.parametrize("options", [DataOptions(test_fraction=0.5), DataOptions(freeze=("mean area",))])
def test_options_that_mean_nothing_are_errors(options):
    with pytest.raises(UsageError, match="means nothing for builtin:digits"):
        open_builtin("digits", options)


def test_an_unknown_frozen_feature_is_an_error():
    with pytest.raises(UsageError, match="freeze=mean aria"):
        open_builtin("breast_cancer", DataOptions(freeze=("mean aria",)))
