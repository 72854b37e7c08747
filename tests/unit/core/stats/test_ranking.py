"""ROC figures agree with scikit-learn, brute force and hand-computed values."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score, roc_curve

from gambeson.core.errors import InsufficientEvidence, UsageError
from gambeson.core.stats import auc, best_threshold, clopper_pearson, roc, threshold_at_fpr, tpr_at_fpr

# few distinct values, so that ties abound
SCORES = st.lists(st.integers(-4, 4).map(float), min_size=2, max_size=40).map(np.array)


def labelled(positive, negative):
    return np.repeat([1, 0], [len(positive), len(negative)]), np.concatenate([positive, negative])


@given(SCORES, SCORES)
def test_the_area_is_scikit_learns_with_ties(positive, negative):
    assert auc(positive, negative).value == pytest.approx(roc_auc_score(*labelled(positive, negative)))


@given(SCORES, SCORES)
def test_the_curve_is_scikit_learns(positive, negative):
    fpr, tpr, thresholds = roc_curve(*labelled(positive, negative), drop_intermediate=False)
    ours = roc(positive, negative)
    np.testing.assert_allclose(ours.fpr, fpr, atol=1e-12)
    np.testing.assert_allclose(ours.tpr, tpr, atol=1e-12)
    np.testing.assert_array_equal(ours.thresholds, thresholds)


@given(SCORES, SCORES)
def test_the_variance_is_delongs_by_brute_force(positive, negative):
    kernel = (positive[:, None] > negative) + 0.5 * (positive[:, None] == negative)
    area = kernel.mean()
    variance = kernel.mean(1).var(ddof=1) / len(positive) + kernel.mean(0).var(ddof=1) / len(negative)
    figure = auc(positive, negative)
    if 0 < area < 1 and variance > 1e-18:
        logit = np.log(area / (1 - area)) + np.array([-1, 1]) * 1.959964 * np.sqrt(variance) / (
            area * (1 - area)
        )
        np.testing.assert_allclose(
            [figure.interval.low, figure.interval.high], 1 / (1 + np.exp(-logit)), atol=1e-6
        )
        assert figure.interval.method == "delong"


def test_perfect_separation_still_has_an_interval():
    # five disjoint pairs, all in order: (0.05 / 2) ** (1 / 5)
    figure = auc(np.arange(5) + 100.0, np.arange(8.0))
    assert figure.value == 1
    assert figure.interval.low == pytest.approx(0.025**0.2)
    assert figure.interval.high == 1


def test_delongs_interval_covers_about_its_level():
    rng, truth, hits = np.random.default_rng(0), 0.7602499, 0  # Phi(1 / sqrt 2)
    for _ in range(1_500):
        ends = auc(rng.normal(1, 1, 60), rng.normal(0, 1, 40)).interval
        hits += ends.low <= truth <= ends.high
    assert 0.935 <= hits / 1_500 <= 0.97


@given(SCORES, SCORES, st.floats(0.05, 0.9))
def test_the_threshold_is_the_most_permissive_that_keeps_the_false_positive_rate(positive, negative, fpr):
    if len(negative) * fpr < 1:
        return
    figure = tpr_at_fpr(positive, negative, fpr)
    allowed = [t for t in negative if (negative > t).mean() <= fpr + 1e-9]
    best = max((positive > t).mean() for t in allowed)
    assert figure.value == pytest.approx(best)
    threshold = threshold_at_fpr(negative, fpr)
    assert (negative > threshold).mean() <= fpr + 1e-9


def test_a_hand_computed_rate_at_a_fixed_false_positive_rate():
    # 100 non-members 0..99: at 1% one may be accused, so only scores above 98 accuse
    figure = tpr_at_fpr(np.array([97.0, 98.0, 98.5, 120.0]), np.arange(100.0), 0.01)
    assert figure.value == 0.5
    assert figure.n == 4
    assert figure.interval == clopper_pearson(2, 4)
    assert figure.name == "tpr_at_1pct_fpr"
    assert figure.detail.startswith("1 of 100 non-members accused")


def test_ties_with_the_threshold_count_against_the_attacker():
    assert tpr_at_fpr(np.ones(50), np.ones(200), 0.01).value == 0


@pytest.mark.parametrize(("n", "fpr"), [(99, 0.01), (999, 0.001), (0, 0.5)])
def test_too_few_nonmembers_for_the_rate_are_insufficient_evidence(n, fpr):
    with pytest.raises(InsufficientEvidence):
        tpr_at_fpr(np.arange(10.0), np.arange(float(n)), fpr)


@pytest.mark.parametrize("n", [100, 200, 300, 700, 1_100])
def test_rounding_does_not_lose_an_allowed_false_positive(n):
    assert threshold_at_fpr(np.arange(float(n)), 0.01) == n - 1 - n // 100


@pytest.mark.parametrize("fpr", [0, 1, -0.1, 5])
def test_a_rate_outside_0_1_is_refused(fpr):
    with pytest.raises(UsageError, match="false-positive rate"):
        threshold_at_fpr(np.arange(10.0), fpr)


@given(SCORES, SCORES)
def test_the_best_threshold_has_the_highest_balanced_accuracy(positive, negative):
    def balanced(t):
        return ((positive >= t).mean() + (negative < t).mean()) / 2

    best = max(balanced(t) for t in [np.inf, *positive, *negative])
    assert balanced(best_threshold(positive, negative)) == pytest.approx(best)


def test_infinite_scores_are_ranked():
    assert auc(np.array([np.inf, 1.0]), np.array([-np.inf, 0.0])).value == 1


@pytest.mark.parametrize("function", [auc, roc, best_threshold])
def test_nan_is_refused(function):
    with pytest.raises(UsageError, match="NaN"):
        function(np.array([1.0, np.nan]), np.array([0.0, 1.0]))


def test_one_score_a_side_is_insufficient_for_an_area():
    with pytest.raises(InsufficientEvidence, match="at least 2"):
        auc(np.array([1.0]), np.array([0.0, 0.5]))
