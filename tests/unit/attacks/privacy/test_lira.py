"""LiRA against its formulas, and against the threshold that knows nothing of difficulty."""

from __future__ import annotations

from statistics import NormalDist

import numpy as np
import pytest

from gambeson.attacks.privacy.base import MembershipTask, logits_of
from gambeson.attacks.privacy.harness import area, exposure, run_inference
from gambeson.attacks.privacy.lira import LiRA, Moments
from gambeson.attacks.privacy.loss_threshold import LossThreshold
from gambeson.core.errors import UsageError
from gambeson.core.reproduce import Seed
from tests.membership_worlds import candidates

INCLUDED = np.array([[True, False], [False, True], [True, False], [False, True]])


def task(confidence, references, included=INCLUDED):
    """A task of two classes with these probabilities of the true class, which is class 0."""
    p = np.asarray(confidence, float)
    target = np.log(np.stack([p, 1 - p], 1))
    own = np.asarray(references, float)
    answers = np.log(np.stack([own, 1 - own], 2))
    return MembershipTask(
        target, np.zeros(len(p), int), answers, included, np.empty((len(p), 0)), None, Seed(0)
    )


def test_logits_undo_the_sigmoid_and_stay_finite():
    logit = np.array([-30.0, -2.0, 0.0, 5.0, 20.0])
    np.testing.assert_allclose(logits_of(-np.logaddexp(0, -logit)), logit, rtol=1e-6)
    assert np.isfinite(logits_of(np.array([0.0, -800.0]))).all()


def test_the_score_is_the_ratio_of_two_normal_densities_with_a_common_variance():
    references = [[0.9, 0.4], [0.5, 0.8], [0.8, 0.3], [0.4, 0.9]]
    given = task([0.85, 0.35], references)
    logit = np.log(np.array(references) / (1 - np.array(references)))
    inside, outside = ([logit[chosen[:, i], i] for i in range(2)] for chosen in (INCLUDED, ~INCLUDED))
    want = []
    # each record has two models on either side: one degree of freedom a record, two in all
    spread = [np.sqrt(sum(v.var(ddof=1) for v in side) / 2) for side in (inside, outside)]
    for i, p in enumerate((0.85, 0.35)):
        x = np.log(p / (1 - p))
        ratio = [
            NormalDist(side[i].mean(), s).pdf(x) for side, s in zip((inside, outside), spread, strict=True)
        ]
        want.append(np.log(ratio[0] / ratio[1]))
    np.testing.assert_allclose(LiRA().infer(given), want)
    offline = [(np.log(p / (1 - p)) - outside[i].mean()) / spread[1] for i, p in enumerate((0.85, 0.35))]
    np.testing.assert_allclose(LiRA(offline=True).infer(given), offline)


def test_with_one_model_on_each_side_the_variance_is_that_of_all_records():
    logits, chosen = np.array([[1.0, 4.0], [9.0, 9.0]]), np.array([[True, True], [False, False]])
    moments = Moments.of(logits, chosen)
    np.testing.assert_allclose(moments.mean, [1, 4])
    assert moments.variance == pytest.approx(2.25)


def test_with_many_models_each_record_has_a_variance_of_its_own():
    logits = np.random.default_rng(0).normal(0, [1, 5], (32, 2))
    moments = Moments.of(logits, np.ones((32, 2), bool))
    np.testing.assert_allclose(moments.variance, logits.var(axis=0, ddof=1))


@pytest.mark.parametrize("offline", [False, True])
def test_references_account_for_unequal_difficulty(offline):
    world = candidates(leak=2, n=4_000)
    lira, loss = (run_inference(a, "attack", world, Seed(0)) for a in (LiRA(offline), LossThreshold()))
    assert area(lira).interval.low > area(loss).interval.high
    assert exposure(lira, 0.01).interval.low > exposure(loss, 0.01).interval.high


def test_a_record_that_every_model_has_seen_is_refused():
    with pytest.raises(UsageError, match="LiRA was given 4 reference models"):
        LiRA().infer(task([0.5, 0.5], [[0.5, 0.5]] * 4, np.ones((4, 2), bool)))
