"""The loss threshold ranks records by the target's loss, with the ROC that the loss has."""

from __future__ import annotations

from statistics import NormalDist

import numpy as np
import pytest

from gambeson.attacks.privacy.base import MembershipTask
from gambeson.attacks.privacy.harness import Candidates, area, exposure, run_inference
from gambeson.attacks.privacy.loss_threshold import LossThreshold
from gambeson.attacks.privacy.references import no_references
from gambeson.core.reproduce import Seed

N = 20_000


def test_the_score_is_minus_the_cross_entropy():
    target = np.log([[0.7, 0.3], [0.1, 0.9]])
    task = MembershipTask(
        target, np.array([1, 1]), np.empty((0, 2, 2)), np.empty((0, 2), bool), np.empty((2, 0)), None, Seed(0)
    )
    np.testing.assert_allclose(LossThreshold().infer(task), [np.log(0.3), np.log(0.9)])


def test_planted_losses_give_their_known_roc():
    # logits: members N(1, 1), others N(0, 1); so AUC = Phi(1 / sqrt 2), TPR(f) = Phi(1 + Phi^-1(f))
    truth = np.arange(N) < N // 2
    logit = np.random.default_rng(0).normal(0, 1, N) + truth
    target = np.stack([-np.logaddexp(0, -logit), -np.logaddexp(0, logit)], 1)
    world = Candidates(target, np.zeros(N, np.int64), truth, no_references(N))
    found = run_inference(LossThreshold(), "loss_threshold", world, Seed(0))
    normal = NormalDist()
    assert area(found).value == pytest.approx(normal.cdf(0.5**0.5), abs=0.008)
    assert exposure(found, 0.01).value == pytest.approx(normal.cdf(1 + normal.inv_cdf(0.01)), abs=0.015)
    assert exposure(found, 0.1).value == pytest.approx(normal.cdf(1 + normal.inv_cdf(0.1)), abs=0.02)
