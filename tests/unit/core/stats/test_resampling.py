"""Bootstrap intervals agree with scipy's and cover what they promise."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.stats

from gambeson.core.errors import InsufficientEvidence, UsageError
from gambeson.core.stats import bootstrap, resampling


def median(v):
    return np.median(v, axis=-1)


def mean(v):
    return v.mean(-1)


@pytest.mark.parametrize("method", ["percentile", "bca"])
@pytest.mark.parametrize("statistic", [mean, lambda v: v.std(-1)])
def test_an_interval_is_scipys_up_to_the_draw(method, statistic):
    values = np.random.default_rng(0).exponential(size=80)
    ours = bootstrap(values, statistic, np.random.default_rng(1), resamples=20_000, method=method)
    theirs = scipy.stats.bootstrap(
        (values,), lambda v, axis: statistic(v), n_resamples=20_000, method=method,
        rng=np.random.default_rng(2),
    ).confidence_interval  # fmt: skip
    assert ours.low == pytest.approx(theirs.low, abs=0.02)
    assert ours.high == pytest.approx(theirs.high, abs=0.02)


def test_the_bca_interval_covers_about_its_level():
    rng, hits = np.random.default_rng(3), 0
    for _ in range(300):
        ends = bootstrap(rng.exponential(size=50), mean, rng, resamples=500)
        hits += ends.low <= 1 <= ends.high
    assert 0.89 <= hits / 300 <= 0.98


def test_blocks_do_not_change_the_interval(monkeypatch):
    values = np.random.default_rng(0).normal(size=30)
    whole = bootstrap(values, median, np.random.default_rng(1), resamples=500)
    monkeypatch.setattr(resampling, "_ELEMENTS_AT_ONCE", 100)
    assert bootstrap(values, median, np.random.default_rng(1), resamples=500) == whole


def test_constant_values_give_an_interval_of_no_width():
    ends = bootstrap(np.full(10, 3.0), mean, np.random.default_rng(0), resamples=50)
    assert (ends.low, ends.high) == (3, 3)


def test_the_same_generator_gives_the_same_interval():
    values = np.arange(20.0)
    assert bootstrap(values, mean, np.random.default_rng(7)) == bootstrap(
        values, mean, np.random.default_rng(7)
    )


def test_an_unknown_method_is_refused():
    with pytest.raises(UsageError, match="bca or percentile"):
        bootstrap(np.arange(5.0), mean, np.random.default_rng(0), method="studentized")


def test_one_value_is_insufficient():
    with pytest.raises(InsufficientEvidence):
        bootstrap(np.array([1.0]), mean, np.random.default_rng(0))
