"""The learnt attack: never weaker than what it learns from, and blind where there is nothing to learn."""

from __future__ import annotations

import sys

import numpy as np
import pytest

from gambeson.attacks.privacy.base import logits_of
from gambeson.attacks.privacy.harness import Candidates, area, exposure, run_inference
from gambeson.attacks.privacy.learnt import Learnt, statistics
from gambeson.attacks.privacy.lira import LiRA
from gambeson.attacks.privacy.references import References
from gambeson.attacks.privacy.rmia import RMIA
from gambeson.core.errors import Unavailable, UsageError
from gambeson.core.reproduce import Seed
from tests.conformance.privacy_suite import task
from tests.membership_worlds import candidates


def test_it_finds_at_least_what_its_statistics_find():
    world = candidates(leak=2, n=4_000, references=8)
    learnt, lira, rmia = (run_inference(a, "attack", world, Seed(0)) for a in (Learnt(), LiRA(), RMIA()))
    assert area(learnt).value > max(area(lira).value, area(rmia).value) - 0.005
    assert exposure(learnt, 0.01).value > max(exposure(lira, 0.01).value, exposure(rmia, 0.01).value) - 0.01


def scrambled(leak):
    """Members answer no higher but with another spread: what a threshold on one statistic cannot use."""
    world, rng = candidates(leak=0, n=4_000, references=8), np.random.default_rng(3)

    def answers(member):
        logit = rng.normal(0, np.where(member, 1.0, 1.0 + leak))
        return -np.logaddexp(0, -logit)

    own = answers(world.truth)
    target = np.stack([own, np.log(-np.expm1(own))], 1)
    scores = np.stack([answers(row) for row in world.references.included])
    both = np.stack([scores, np.log(-np.expm1(scores))], axis=-1).astype(np.float32)
    labels = np.zeros(len(own), np.int64)
    return Candidates(target, labels, world.truth, References(both, world.references.included, 8))


def test_it_learns_a_leak_that_no_threshold_on_the_loss_sees():
    found = area(run_inference(Learnt(), "learnt", scrambled(leak=3), Seed(0)))
    assert found.interval.low > 0.65


def test_where_membership_changes_nothing_it_finds_nothing():
    ends = area(
        run_inference(Learnt(), "learnt", candidates(leak=0, n=4_000, references=8), Seed(0))
    ).interval
    assert ends.low <= 0.5 <= ends.high


def test_statistics_start_with_the_logit_and_the_means_on_both_sides():
    given = task(candidates(leak=2, n=60))
    found = statistics(given.confidence, given.references, given.included)
    logits = logits_of(given.references)
    assert found.shape == (60, 8)
    np.testing.assert_allclose(found[:, 0], logits_of(given.confidence))
    np.testing.assert_allclose(found[5, 1], logits[given.included[:, 5], 5].mean())
    np.testing.assert_allclose(found[5, 2], logits[~given.included[:, 5], 5].mean())
    np.testing.assert_allclose(found[:, 6], LiRA().infer(given))


def test_two_models_or_models_that_are_no_pairs_are_refused():
    with pytest.raises(UsageError, match="2 reference models"):
        Learnt().infer(task(candidates(leak=1, references=2)))
    given = task(candidates(leak=1, references=4))
    given.included[:] = given.included[[0, 2, 1, 3]]
    with pytest.raises(UsageError, match="complementary halves"):
        Learnt().infer(given)


def test_without_scikit_learn_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "sklearn.ensemble", None)
    with pytest.raises(Unavailable, match=r"gambeson\[sklearn\]"):
        Learnt().infer(task(candidates(leak=1, references=4)))
