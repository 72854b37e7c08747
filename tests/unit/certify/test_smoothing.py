"""Randomised smoothing against closed forms: a linear classifier's smoothed probability is known exactly."""

from __future__ import annotations

import math
from statistics import NormalDist

import numpy as np
import pytest
import torch
from scipy.stats import beta, binomtest

from gambeson.attacks.harness import Samples
from gambeson.certify.smoothing import (
    ABSTAIN,
    Smoothing,
    certify_smoothed,
    lower_confidence,
    predict_smoothed,
    radius_of,
    votes,
)
from gambeson.core.errors import UsageError
from gambeson.core.reproduce import Seed
from gambeson.models.passes import Passes
from tests.tiny_models import linear

PHI = NormalDist()
MODEL = linear([[3.0, 4.0], [0.0, 0.0]], [-3.0, 0.0])
"""Class 0 where 3 x1 + 4 x2 > 3: at distance (3 x1 + 4 x2 - 3) / 5 from its edge."""


def at_distances(distances) -> Samples:
    """Samples of class 0 at given distances from the edge."""
    x = torch.tensor([[3 * (3 + 5 * d) / 25, 4 * (3 + 5 * d) / 25] for d in distances], dtype=torch.float32)
    return Samples(x, torch.zeros(len(x), dtype=torch.int64), np.arange(len(x)))


def test_the_share_of_votes_is_the_normal_probability_of_the_distance():
    samples = at_distances([0.3])
    counts = votes(Passes(MODEL), samples.x[0], 0.5, 20_000, 7, 0)
    p = PHI.cdf(0.3 / 0.5)
    assert counts.sum() == 20_000
    assert abs(counts[0] / 20_000 - p) < 4 * math.sqrt(p * (1 - p) / 20_000)


@pytest.mark.parametrize(("count", "n"), [(1_000, 1_000), (990, 1_000), (600, 1_000), (1, 100), (0, 100)])
def test_the_lower_bound_is_the_beta_quantile(count, n):
    expected = beta.ppf(0.001, count, n - count + 1) if count else 0.0
    assert lower_confidence(count, n, 0.001) == pytest.approx(expected, abs=1e-9)


def test_the_radius_when_all_agree_is_the_published_one():
    # alpha = 0.001, n = 100,000: p >= alpha^(1/n), radius 3.81 sigma (Cohen et al. 2019, figure 4 and section 3.2.2)
    how = Smoothing(sigma=0.25, n=100_000)
    assert how.largest == pytest.approx(0.25 * PHI.inv_cdf(0.001 ** (1 / 100_000)), rel=1e-6)
    assert how.largest / 0.25 == pytest.approx(3.81, abs=0.01)


def test_a_close_vote_is_an_abstention():
    assert radius_of(500, Smoothing(0.25)) == (0.0, pytest.approx(0.45, abs=0.01))
    found = certify_smoothed(Passes(MODEL), at_distances([0.001]), Smoothing(0.5, 50, 200), Seed(0))
    assert found.predicted[0] == ABSTAIN
    assert found.radius[0] == 0


def test_a_radius_exceeds_the_exact_one_in_no_more_than_alpha_of_the_runs():
    distances, how = np.full(500, 0.25), Smoothing(sigma=0.25, n0=20, n=200, alpha=0.05)
    found = certify_smoothed(Passes(MODEL), at_distances(distances), how, Seed(3))
    too_far = int((found.radius > 0.25 + 1e-6).sum())
    assert binomtest(too_far, 500, 0.05, alternative="greater").pvalue > 0.001
    assert too_far > 0
    assert np.median(found.radius) > 0.15


def test_the_bound_covers_the_probability_as_often_as_it_says():
    n, p, alpha = 200, PHI.cdf(1.0), 0.05
    drawn = np.random.default_rng(0).binomial(n, p, 20_000)
    low = {int(c): lower_confidence(int(c), n, alpha) for c in np.unique(drawn)}
    covered = np.mean([low[int(c)] <= p for c in drawn])
    assert 1 - alpha - 0.005 <= covered


@pytest.mark.parametrize("count", [115, 120, 130, 150])
def test_predict_abstains_where_the_binomial_test_does(count, monkeypatch):
    monkeypatch.setattr("gambeson.certify.smoothing.votes", lambda *given: np.array([count, 200 - count]))
    found = predict_smoothed(Passes(MODEL), at_distances([0.1]), Smoothing(0.25, n=200), Seed(0))[0]
    assert (found == ABSTAIN) == (binomtest(count, 200).pvalue > 0.001)


def test_same_seed_same_answers_whatever_the_batch_and_the_company():
    samples, how = at_distances([0.05, 0.1, 0.4]), Smoothing(0.25, 20, 300)
    all_three = certify_smoothed(Passes(MODEL, 8), samples, how, Seed(1))
    alone = certify_smoothed(Passes(MODEL, 64), samples.select(torch.tensor([1])), how, Seed(1))
    assert all_three.radius[1] == alone.radius[0]
    other = certify_smoothed(Passes(MODEL), samples, how, Seed(2))
    assert not np.array_equal(other.probability, all_three.probability)


def test_time_that_runs_out_leaves_abstentions():
    ticks = iter(range(10))
    found = certify_smoothed(
        Passes(MODEL), at_distances([0.5] * 4), Smoothing(0.1), Seed(0), deadline=2, clock=lambda: next(ticks)
    )
    assert found.unfinished == 2
    assert (found.predicted == ABSTAIN).tolist() == [False, False, True, True]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"sigma": 0.0}, "sigma is 0"),
        ({"sigma": 1.0, "n": 0}, "n is 0"),
        ({"sigma": 1.0, "alpha": 1.0}, "alpha is 1"),
    ],
)
def test_values_out_of_range_are_refused(given, said):
    with pytest.raises(UsageError, match=said):
        Smoothing(**given)
