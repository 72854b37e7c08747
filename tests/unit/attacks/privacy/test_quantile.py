"""Quantile regression knows from non-members how sure the target usually is of a record like this."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from gambeson.attacks.privacy.harness import area, run_inference
from gambeson.attacks.privacy.loss_threshold import LossThreshold
from gambeson.attacks.privacy.quantile import Quantile
from gambeson.core.errors import UsageError
from gambeson.core.reproduce import Seed
from tests.conformance.privacy_suite import task
from tests.membership_worlds import candidates


def measured(world):
    return area(run_inference(Quantile(), "quantile", world, Seed(0), outsiders=True))


def test_difficulty_that_the_features_tell_is_no_longer_in_the_way():
    world = candidates(leak=2, n=4_000, references=2)
    loss = area(run_inference(LossThreshold(), "loss", world, Seed(0)))
    assert measured(world).interval.low > loss.interval.high + 0.1


def test_features_that_tell_nothing_leave_it_about_as_good_as_the_loss():
    world = candidates(leak=2, n=4_000, references=2)
    blind = replace(world, features=np.random.default_rng(5).normal(size=(4_000, 3)))
    loss = area(run_inference(LossThreshold(), "loss", world, Seed(0)))
    assert measured(blind).value == pytest.approx(loss.value, abs=0.02)


def test_where_features_are_many_and_membership_means_nothing_it_finds_nothing():
    world = candidates(leak=0, n=1_000, references=2, seed=1)
    wide = replace(world, features=np.random.default_rng(5).normal(size=(1_000, 300)))
    ends = measured(wide).interval
    assert ends.low <= 0.5 <= ends.high


def test_without_outsiders_it_is_refused():
    with pytest.raises(UsageError, match="outsiders"):
        Quantile().infer(replace(task(candidates(leak=1)), outsiders=None))
