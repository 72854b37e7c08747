"""Accounting against dp-accounting itself, a closed form, and targets that no noise reaches."""

from __future__ import annotations

import math

import pytest
from scipy.stats import norm

from gambeson.core.errors import UsageError
from gambeson.defenses.private.accounting import Mechanism, concerns, epsilon_of, noise_for, usual_delta

dp_accounting = pytest.importorskip("dp_accounting")


def test_published_figure():
    """q 0.0043, sigma 0.5, 1,000 steps at delta 1e-5: dp-accounting's PLD says 7.13 to 7.17, by its grid."""
    assert epsilon_of(Mechanism(0.5, 0.0043, 1_000), 1e-5) == pytest.approx(7.16, rel=0.01)


def test_equal_to_an_accountant_called_by_hand():
    from dp_accounting.pld import PLDAccountant

    event = dp_accounting.SelfComposedDpEvent(
        dp_accounting.PoissonSampledDpEvent(0.05, dp_accounting.GaussianDpEvent(1.2)), 200
    )
    by_hand = PLDAccountant().compose(event).get_epsilon(1e-5)
    assert epsilon_of(Mechanism(1.2, 0.05, 200), 1e-5) == pytest.approx(by_hand, rel=0.01)


@pytest.mark.parametrize("epsilon", [0.7])
def test_a_sum_over_all_rows_is_the_gaussian_mechanism(epsilon):
    """Balle & Wang 2018, arXiv:1805.06530, theorem 8."""
    noise = noise_for(epsilon, 1e-5, Mechanism(1.0, 1.0, 1)).noise_multiplier
    delta = norm.cdf(1 / (2 * noise) - epsilon * noise) - math.exp(epsilon) * norm.cdf(
        -1 / (2 * noise) - epsilon * noise
    )
    assert delta == pytest.approx(1e-5, rel=0.02)


def test_there_and_back():
    planned = Mechanism(1.0, 1.0, 3, releases=(10.0, 10.0))
    found = noise_for(2.0, 1e-5, planned)
    assert 1.98 < epsilon_of(found, 1e-5) <= 2.0
    assert found.releases == (10.0, 10.0)


def test_other_releases_cost_what_gaussians_cost_together():
    both = epsilon_of(Mechanism(3.0, 1.0, 1, releases=(3.0,)), 1e-5)
    assert both == pytest.approx(epsilon_of(Mechanism(3.0 / math.sqrt(2), 1.0, 1), 1e-5), rel=0.01)


def test_without_noise_nothing_is_promised():
    assert epsilon_of(Mechanism(0.0, 0.1, 10), 1e-5) == math.inf


def test_a_target_that_no_noise_reaches_is_an_error_that_names_what_can_be_reached():
    with pytest.raises(UsageError, match="No noise reaches epsilon") as caught:
        noise_for(0.1, 1e-5, Mechanism(1.0, 0.05, 100, releases=(3.0,)))
    assert "fewer epochs" in caught.value.remedy


@pytest.mark.parametrize("epsilon", [0.0, -1.0, math.inf, math.nan])
def test_a_target_that_is_none_is_refused(epsilon):
    with pytest.raises(UsageError, match="epsilon is"):
        noise_for(epsilon, 1e-5, Mechanism(1.0, 0.1, 10))


@pytest.mark.parametrize("delta", [0.0, 1.0, math.nan])
def test_a_delta_outside_its_range_is_refused(delta):
    with pytest.raises(UsageError, match="delta is"):
        epsilon_of(Mechanism(1.0, 0.1, 10), delta)


@pytest.mark.parametrize("values", [(-1.0, 0.1, 1), (1.0, 0.0, 1), (1.0, 1.1, 1), (math.nan, 0.1, 1)])
def test_a_mechanism_that_is_none_is_refused(values):
    with pytest.raises(UsageError):
        Mechanism(*values)


def test_a_delta_of_one_over_the_records_and_a_huge_epsilon_are_of_concern():
    assert concerns(1.0, 1e-5, 60_000) == []
    assert "one over the 1000 records" in concerns(1.0, 1e-3, 1_000)[0]
    assert "next to nothing" in concerns(20.0, 1e-5, 1_000)[0]
    assert "e^50" in concerns(50.0, 1e-5, 1_000)[0]


@pytest.mark.parametrize(("records", "delta"), [(60_000, 1e-5), (1_000, 1e-4), (999, 1e-3), (1_437, 1e-4)])
def test_the_usual_delta_is_below_one_over_the_records(records, delta):
    assert usual_delta(records) == pytest.approx(delta)
    assert usual_delta(records) < 1 / records
