"""Differences between datasets, against counts by hand and against SciPy."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from gambeson.core.errors import UsageError
from gambeson.data.dataset import ArraySplit, Dataset
from gambeson.data.differences import compare_datasets, kolmogorov_smirnov
from gambeson.data.schema import Feature, Kind, Schema


def table(x, y, categories=("blue", "red"), name="a"):
    features = (
        Feature("n", Kind.NUMERIC, -100.0, 100.0),
        Feature("c", Kind.CATEGORICAL, 0.0, 9.0, categories=categories),
    )
    schema = Schema((2,), ("no", "yes"), features=features)
    return Dataset(name, schema, {"test": ArraySplit(np.array(x, np.float32), np.array(y))}, "")


def test_added_removed_and_relabelled_rows_are_counted():
    before = table([[1, 0], [2, 0], [3, 1], [3, 1]], [0, 0, 1, 1])
    after = table([[1, 0], [2, 0], [3, 1], [4, 1], [5, 1]], [0, 1, 1, 0, 0])
    change = compare_datasets(before, after)
    assert (change.before, change.after) == (4, 5)
    assert (change.added, change.removed, change.relabelled) == (2, 1, 1)


def test_a_category_counts_by_its_name_and_not_by_its_code():
    before = table([[1, 0], [2, 1]], [0, 1])
    after = table([[1, 1], [2, 2]], [0, 1], categories=("azure", "blue", "red"))
    change = compare_datasets(before, after)
    assert (change.added, change.removed, change.relabelled) == (0, 0, 0)
    assert all(drift.value == 0 for drift in change.drift)


def test_the_drift_of_a_category_is_half_of_the_shares_that_moved():
    change = compare_datasets(table([[0, 0]] * 4, [0] * 4), table([[0, 0], [0, 1], [0, 1], [0, 1]], [0] * 4))
    first = change.drift[0]
    assert (first.feature, first.statistic, first.value) == ("c", "TV", 0.75)
    assert math.isnan(first.p)


@pytest.mark.parametrize("shift", [0.0, 0.2, 1.0])
def test_the_statistic_and_its_chance_are_those_of_scipy(shift):
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=400), rng.normal(shift, size=700)
    value, p = kolmogorov_smirnov(a, b)
    expected = stats.ks_2samp(a, b, method="asymp")
    assert value == pytest.approx(expected.statistic)
    assert p == pytest.approx(expected.pvalue, abs=0.02)


def test_the_same_sample_does_not_drift():
    a = np.arange(50.0)
    assert kolmogorov_smirnov(a, a) == (0.0, 1.0)


def test_pictures_are_compared_by_mean_and_spread():
    schema = Schema((1, 2, 2), ("a",))
    dark, light = (np.full((5, 1, 2, 2), v, np.float32) for v in (0.1, 0.9))
    sets = [Dataset("p", schema, {"t": ArraySplit(x, np.zeros(5, int))}, "") for x in (dark, light)]
    change = compare_datasets(*sets)
    assert (change.added, change.removed) == (5, 5)
    assert [(d.feature, d.value) for d in change.drift] == [
        ("mean of a picture", 1.0),
        ("spread of a picture", 0.0),
    ]


def test_other_features_are_no_versions_of_one_dataset():
    other = Dataset("b", Schema((3,), ("a",)), {}, "")
    with pytest.raises(UsageError, match="have other features"):
        compare_datasets(table([[1, 0]], [0]), other)
