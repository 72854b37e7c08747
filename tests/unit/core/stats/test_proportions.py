"""Intervals of proportions agree with statsmodels and cover what they promise."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from statsmodels.stats.proportion import proportion_confint

from gambeson.core.errors import InsufficientEvidence, UsageError
from gambeson.core.stats import balanced_accuracy, clopper_pearson, proportion, wilson

COUNTS = st.integers(1, 5_000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))
LEVELS = st.floats(0.5, 0.999)


@pytest.mark.parametrize(("ours", "theirs"), [(wilson, "wilson"), (clopper_pearson, "beta")])
@given(counts=COUNTS, level=LEVELS)
def test_an_interval_is_that_of_statsmodels(ours, theirs, counts, level):
    low, high = proportion_confint(*counts, alpha=1 - level, method=theirs)
    interval = ours(*counts, level)
    assert interval.low == pytest.approx(max(low, 0), abs=1e-9)
    assert interval.high == pytest.approx(min(high, 1), abs=1e-9)


def test_wilson_gives_newcombes_published_example():
    # Newcombe 1998, Two-sided confidence intervals for the single proportion, table I: 81 of 263
    interval = wilson(81, 263)
    assert (round(interval.low, 4), round(interval.high, 4)) == (0.2553, 0.3662)


@pytest.mark.parametrize("ours", [wilson, clopper_pearson])
@given(counts=COUNTS)
def test_an_interval_holds_the_estimate_and_stays_in_0_1(ours, counts):
    interval = ours(*counts)
    assert 0 <= interval.low <= counts[0] / counts[1] <= interval.high <= 1


@pytest.mark.parametrize("p", [0.02, 0.3, 0.9])
def test_the_exact_interval_covers_at_least_its_level_and_wilson_about_it(p):
    rng, n = np.random.default_rng(0), 60
    drawn = rng.binomial(n, p, 4_000)
    for ours, least in ((clopper_pearson, 0.95), (wilson, 0.92)):
        ends = {int(k): ours(int(k), n) for k in np.unique(drawn)}
        covered = np.mean([ends[int(k)].low <= p <= ends[int(k)].high for k in drawn])
        assert covered >= least - 0.01


def test_a_proportion_carries_its_n_unit_and_interval():
    figure = proportion("accuracy", 41, 100, better="higher", detail="on test")
    assert (figure.name, figure.value, figure.unit, figure.n) == ("accuracy", 0.41, "fraction", 100)
    assert (figure.interval, figure.better, figure.detail) == (wilson(41, 100), "higher", "on test")


def test_balanced_accuracy_is_the_mean_of_both_rates():
    assert balanced_accuracy("b", (90, 100), (20, 80)).value == pytest.approx((0.9 + 0.25) / 2)


def test_the_interval_of_balanced_accuracy_covers_about_its_level():
    rng, p, q, m, n = np.random.default_rng(1), 0.8, 0.6, 50, 70
    hits = 0
    for a, b in zip(rng.binomial(m, p, 2_000), rng.binomial(n, q, 2_000), strict=True):
        ends = balanced_accuracy("b", (int(a), m), (int(b), n)).interval
        hits += ends.low <= (p + q) / 2 <= ends.high
    assert 0.93 <= hits / 2_000 <= 0.97


def test_a_useless_guess_with_any_class_sizes_is_balanced_at_one_half():
    ends = balanced_accuracy("b", (1_000, 1_000), (0, 10)).interval
    assert ends.low < 0.5 < ends.high


@pytest.mark.parametrize("function", [wilson, clopper_pearson])
def test_no_sample_is_insufficient_evidence(function):
    with pytest.raises(InsufficientEvidence, match="at least one"):
        function(0, 0)


def test_no_sample_for_a_figure_names_the_figure():
    with pytest.raises(InsufficientEvidence, match="attack_success_rate"):
        proportion("attack_success_rate", 0, 0)


@pytest.mark.parametrize("counts", [(-1, 5), (6, 5)])
def test_impossible_counts_are_refused(counts):
    with pytest.raises(UsageError, match="successes"):
        wilson(*counts)


@pytest.mark.parametrize("level", [0, 1, 95])
@pytest.mark.parametrize("function", [wilson, clopper_pearson])
def test_a_level_outside_0_1_is_refused(function, level):
    with pytest.raises(UsageError, match="level"):
        function(1, 2, level)
