import numpy as np
import pytest

from gambeson.core.errors import InsufficientEvidence, UsageError
from gambeson.defenses.poisoning.verdict import combined_verdict


def world(seed: int, poison: float, shift: float, n: int = 4000, clean: int = 1000):
    rng = np.random.default_rng(seed)
    values = {
        "informative": rng.standard_t(4, n + clean),
        "noise": rng.normal(size=n + clean),
        "ties": rng.integers(0, 2, n + clean),
    }
    bad = np.zeros(n, bool)
    bad[: int(poison * n)] = True
    values["informative"][: int(poison * n)] += shift
    return values, bad, np.arange(n + clean) >= n


def test_false_alarms_come_at_the_stated_rate():
    rates = []
    for seed in range(12):
        values, _, calibration = world(seed, 0.0, 0.0)
        rates.append(
            combined_verdict(values, calibration, alpha=0.02, rng=np.random.default_rng(seed)).flagged.mean()
        )
    assert 0.012 < np.mean(rates) < 0.027


def test_one_detector_that_sees_it_is_enough_among_others_that_do_not():
    values, bad, calibration = world(1, 0.05, 60.0)
    verdict = combined_verdict(values, calibration, alpha=0.01, rng=np.random.default_rng(0))
    assert verdict.flagged[bad].mean() > 0.99
    assert verdict.flagged[~bad].mean() < 0.025
    assert {verdict.names[k] for k in verdict.leading[bad]} == {"informative"}


def test_p_values_of_clean_rows_are_uniform():
    values, _, calibration = world(3, 0.0, 0.0)
    p = combined_verdict(values, calibration, alpha=0.01, rng=np.random.default_rng(0)).p
    for level in (0.1, 0.25, 0.5, 0.75):
        assert abs((p <= level).mean() - level) < 0.04


def test_too_few_trusted_rows_and_senseless_rates_are_refused():
    values, _, calibration = world(0, 0.0, 0.0, n=200, clean=100)
    with pytest.raises(InsufficientEvidence, match="100 trusted rows"):
        combined_verdict(values, calibration, alpha=0.01, rng=np.random.default_rng(0))
    with pytest.raises(UsageError):
        combined_verdict(values, calibration, alpha=1.5, rng=np.random.default_rng(0))
    with pytest.raises(UsageError):
        combined_verdict({}, calibration, rng=np.random.default_rng(0))
