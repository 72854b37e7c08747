"""RMIA is the paper's pairwise test, computed by sorting instead of by pairs."""

from __future__ import annotations

import numpy as np
import pytest

from gambeson.attacks.privacy.harness import area, exposure, run_inference
from gambeson.attacks.privacy.loss_threshold import LossThreshold
from gambeson.attacks.privacy.rmia import RMIA
from gambeson.core.errors import UsageError
from gambeson.core.reproduce import Seed
from tests.conformance.privacy_suite import task
from tests.membership_worlds import candidates


def by_pairs(given, gamma, offline, a):
    """The formulas with plain probabilities, one pair after another."""
    n, temperature = len(given.labels), 3

    def softened(answers):
        powers = np.exp(answers / temperature)
        return (powers / powers.sum(-1, keepdims=True))[..., np.arange(n), given.labels]

    p, reference = softened(given.target), softened(given.answers.astype(np.float64))
    ratio = np.empty(n)
    for i in range(n):
        out = reference[~given.included[:, i], i].mean()
        inside = reference[given.included[:, i], i].mean()
        ratio[i] = p[i] / (((1 + a) * out + (1 - a)) / 2 if offline else (inside + out) / 2)
    return np.array([sum(ratio[i] / ratio[z] >= gamma for z in range(n)) / n for i in range(n)])


@pytest.mark.parametrize("gamma", [1.5, 2.0, 8.0])
@pytest.mark.parametrize(("offline", "a"), [(False, 0.3), (True, 0.3), (True, 0.0), (True, 1.0)])
def test_the_score_is_the_share_of_pairs_won(gamma, offline, a):
    given = task(candidates(leak=2, n=60))
    ours = RMIA(gamma, offline, a).infer(given)
    np.testing.assert_allclose(ours, by_pairs(given, gamma, offline, a), atol=1e-12)


def test_at_gamma_one_the_score_ranks_by_the_likelihood_ratio():
    given = task(candidates(leak=2, n=60))
    ours = RMIA().infer(given)
    # rounding decides whether a record beats itself, so gamma is a hair above 1 here
    pairs = by_pairs(given, 1 + 1e-9, offline=False, a=0.3)
    np.testing.assert_allclose(ours - 1 / 60, pairs, atol=1e-12)
    assert len(np.unique(ours)) == 60


def test_references_account_for_unequal_difficulty():
    world = candidates(leak=2, n=4_000)
    rmia, loss = (run_inference(a, "attack", world, Seed(0)) for a in (RMIA(), LossThreshold()))
    assert area(rmia).interval.low > area(loss).interval.high
    assert exposure(rmia, 0.01).interval.low > exposure(loss, 0.01).interval.high


def test_probabilities_of_nearly_zero_and_one_are_ranked_without_overflow():
    given = task(candidates(leak=1, n=40))
    given.target[:] = -60.0
    given.answers[:] = -69.0
    assert np.isfinite(RMIA().infer(given)).all()


@pytest.mark.parametrize(
    "parameters", [{"gamma": 0.9}, {"gamma": float("nan")}, {"a": -0.1}, {"a": 1.1}, {"temperature": 0}]
)
def test_a_parameter_out_of_range_is_refused(parameters):
    with pytest.raises(UsageError, match="RMIA's"):
        RMIA(**parameters)


def test_a_temperature_keeps_apart_what_is_nearly_certain():
    # float32 log-probabilities of 1 - 1e-9 and 1 - 1e-6: their ratio says nothing, their softened ratio does
    given = task(candidates(leak=0, n=40))
    sure = np.where(np.arange(40) % 2, 20.0, 13.0)
    logits = np.zeros((40, 4))
    logits[np.arange(40), given.labels] = sure
    given.target[:] = logits - np.log(np.exp(logits).sum(1, keepdims=True))
    given.answers[:] = np.log(0.25)
    scores = RMIA(gamma=1.01).infer(given)
    assert scores[1::2].min() > scores[::2].max()
    flat = RMIA(gamma=1.01, temperature=1).infer(given)
    assert flat[1::2].min() == flat[::2].max()
