"""Scores of a pool are log-probabilities, whatever the model gives, for one query each."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import log_softmax

from gambeson.attacks.privacy.pool import draw_pool
from gambeson.attacks.privacy.scoring import log_probabilities
from gambeson.core.errors import BudgetExhausted, ModelError
from gambeson.core.reproduce import Seed
from gambeson.models.passes import Passes
from tests.membership_worlds import records
from tests.tiny_models import ScoreModel

POOL = draw_pool(records(50, 1), records(30, 2), 100, Seed(0))
X = np.concatenate([x for x, _ in POOL.batches()])


def logits(x):
    return (20 * x[:, :4]).astype(np.float32)


def probabilities(x):
    return np.exp(log_softmax(logits(x).astype(np.float64), axis=1)).astype(np.float32)


@pytest.mark.parametrize("rows", [8, 64])
def test_logits_become_log_probabilities(rows):
    found = log_probabilities(Passes(ScoreModel(logits, (6,), 4), rows), POOL)
    assert found.dtype == np.float64
    np.testing.assert_allclose(found, log_softmax(logits(X).astype(np.float64), axis=1), atol=1e-12)


def test_probabilities_become_log_probabilities():
    found = log_probabilities(Passes(ScoreModel(probabilities, (6,), 4, "probabilities")), POOL)
    np.testing.assert_allclose(found, log_softmax(logits(X).astype(np.float64), axis=1), atol=1e-5)


def test_a_probability_of_zero_stays_finite():
    certain = ScoreModel(
        lambda x: np.eye(4, dtype=np.float32)[np.zeros(len(x), int)], (6,), 4, "probabilities"
    )
    found = log_probabilities(Passes(certain), POOL)
    assert np.isfinite(found).all()
    assert (found[:, 1] < -60).all()


def test_progress_adds_up_to_the_pool():
    done = []
    log_probabilities(Passes(ScoreModel(logits, (6,), 4)), POOL, report=done.append)
    assert sum(done) == len(POOL)


def test_a_spent_budget_stops_the_attacker():
    with pytest.raises(BudgetExhausted):
        log_probabilities(Passes(ScoreModel(logits, (6,), 4)), POOL, budget=0)


def test_nan_scores_are_the_models_fault():
    broken = ScoreModel(lambda x: logits(x) * np.nan, (6,), 4)
    with pytest.raises(ModelError, match="NaN"):
        log_probabilities(Passes(broken), POOL)
