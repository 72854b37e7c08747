"""Tests and differences agree with scipy and statsmodels."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.stats
from hypothesis import assume, given
from hypothesis import strategies as st
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.proportion import confint_proportions_2indep, proportions_ztest

from gambeson.core.errors import InsufficientEvidence, UsageError
from gambeson.core.stats import difference, holm, mann_whitney, paired_difference, two_proportions

COUNTS = st.integers(2, 500).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))
VALUES = st.lists(st.integers(-5, 5), min_size=2, max_size=40).map(np.array)


@given(COUNTS, COUNTS)
def test_two_proportions_is_the_pooled_z_test_of_statsmodels(a, b):
    assume(0 < a[0] + b[0] < a[1] + b[1])
    _, p = proportions_ztest([a[0], b[0]], [a[1], b[1]])
    assert two_proportions(*a, *b) == pytest.approx(p, abs=1e-12)


def test_two_groups_without_any_success_do_not_differ():
    assert two_proportions(0, 10, 0, 20) == 1


@given(COUNTS, COUNTS)
def test_the_difference_has_the_newcombe_interval_of_statsmodels(a, b):
    low, high = confint_proportions_2indep(*a, *b, method="newcomb", compare="diff")
    ours = difference("gap", a, b)
    assert ours.value == pytest.approx(a[0] / a[1] - b[0] / b[1])
    assert (ours.interval.low, ours.interval.high) == (pytest.approx(low), pytest.approx(high))


def test_the_difference_gives_newcombes_published_example():
    # Newcombe 1998, table II, 56/70 against 48/80, method 10
    ends = difference("gap", (56, 70), (48, 80)).interval
    assert (round(ends.low, 4), round(ends.high, 4)) == (0.0524, 0.3339)


@given(VALUES, VALUES)
def test_mann_whitney_is_scipys_with_ties(a, b):
    assume(len(np.unique(np.concatenate([a, b]))) > 1)
    p = scipy.stats.mannwhitneyu(a, b, alternative="greater", method="asymptotic").pvalue
    assert mann_whitney(a, b) == pytest.approx(p, rel=1e-9)


def test_mann_whitney_keeps_its_digits_far_out():
    rng = np.random.default_rng(0)
    a, b = rng.normal(3, 1, 400), rng.normal(0, 1, 400)
    p = scipy.stats.mannwhitneyu(a, b, alternative="greater", method="asymptotic").pvalue
    assert 0 < mann_whitney(a, b) == pytest.approx(p, rel=1e-6)


def test_equal_constants_are_no_evidence():
    assert mann_whitney(np.ones(5), np.ones(7)) == 1


@pytest.mark.parametrize("n", [1, 2, 5, 12])
def test_holm_is_that_of_statsmodels(n):
    p = np.random.default_rng(n).random(n).round(1) / 4  # rounded, so that some are equal
    np.testing.assert_allclose(holm(p), multipletests(p, method="holm")[1], atol=1e-12)


def test_holm_gives_a_hand_computed_example():
    assert holm([0.01, 0.04, 0.03]) == pytest.approx((0.03, 0.06, 0.06))


def test_an_impossible_p_value_is_refused():
    with pytest.raises(UsageError, match="0 to 1"):
        holm([0.1, 1.2])


def test_an_empty_side_is_insufficient_evidence():
    with pytest.raises(InsufficientEvidence):
        mann_whitney(np.array([]), np.ones(3))


def test_nan_is_refused():
    with pytest.raises(UsageError, match="NaN"):
        mann_whitney(np.array([np.nan]), np.ones(3))


def test_a_paired_difference_by_hand():
    """10 samples, 4 that only the one gets right, 1 that only the other does: (5 - 2) / 12 -+ ..."""
    one = np.array([1] * 4 + [0] + [1] * 5, bool)
    other = np.array([0] * 4 + [1] + [1] * 5, bool)
    found = paired_difference("gain", one, other)
    half = 1.959964 * ((5 / 12 + 2 / 12 - (3 / 12) ** 2) / 12) ** 0.5
    assert found.value == pytest.approx(0.3)
    assert found.interval.low == pytest.approx(3 / 12 - half, abs=1e-6)
    assert found.interval.high == pytest.approx(3 / 12 + half, abs=1e-6)


def test_no_disagreement_still_leaves_doubt():
    same = np.ones(50, bool)
    found = paired_difference("gain", same, same)
    assert (found.value, found.n) == (0.0, 50)
    assert found.interval.low < 0 < found.interval.high


def test_a_paired_interval_covers_the_truth():
    rng = np.random.default_rng(0)
    covered = 0
    for _ in range(1_000):
        kind = rng.random(200)
        one, other = (kind < 0.6) | (kind > 0.9), kind < 0.65  # gain: 0.1 - 0.05
        found = paired_difference("gain", one, other).interval
        covered += found.low <= 0.05 <= found.high
    assert covered >= 930
