"""Shadow models: what members' answers look like is learnt class by class."""

from __future__ import annotations

import sys
from dataclasses import replace

import numpy as np
import pytest

from gambeson.attacks.privacy.harness import Candidates, area, run_inference
from gambeson.attacks.privacy.loss_threshold import LossThreshold
from gambeson.attacks.privacy.references import References
from gambeson.attacks.privacy.shadows import Shadow
from gambeson.core.errors import Unavailable, UsageError
from gambeson.core.reproduce import Seed
from tests.conformance.privacy_suite import task
from tests.membership_worlds import candidates


def opposite(n=2_000, classes=3):
    """Members of class 0 get a lower confidence, members of the others a higher one."""
    rng = np.random.default_rng(0)
    labels, truth = rng.integers(0, classes, n), rng.random(n) < 0.5
    half = rng.random(n) < 0.5
    included = np.stack([half, ~half])

    def answers(member):
        logits = rng.normal(0, 0.5, (n, classes))
        logits[np.arange(n), labels] += 2 + np.where(labels == 0, -1, 1) * member
        return logits - np.log(np.exp(logits).sum(1, keepdims=True))

    references = References(np.stack([answers(row) for row in included]).astype(np.float32), included, 2)
    return Candidates(answers(truth), labels, truth, references)


def test_each_class_has_a_classifier_of_its_own():
    world = opposite()
    shadow, loss = (area(run_inference(a, "attack", world, Seed(0))) for a in (Shadow(), LossThreshold()))
    assert shadow.interval.low > 0.7
    assert loss.interval.high < shadow.interval.low


def test_a_class_of_a_single_record_is_judged_too():
    given = task(candidates(leak=1, n=60))
    given.labels[:] = 0
    given.labels[7] = 1
    assert np.isfinite(Shadow().infer(given)).all()


def test_without_references_it_is_refused():
    given = task(candidates(leak=1))
    with pytest.raises(UsageError, match="0 reference models"):
        Shadow().infer(replace(given, answers=given.answers[:0], included=given.included[:0]))


def test_without_scikit_learn_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "sklearn.linear_model", None)
    with pytest.raises(Unavailable, match=r"gambeson\[sklearn\]"):
        Shadow().infer(task(candidates(leak=1)))
