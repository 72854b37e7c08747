"""The empirical audit: correct trainings stay below their claim, planted mistakes do not."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy.stats import binom

from gambeson.core.errors import UsageError
from gambeson.core.reproduce import Seed
from gambeson.defenses.private import loop
from gambeson.defenses.private.accounting import Mechanism
from gambeson.defenses.private.canaries import audit_training, epsilon_bound, judge_canaries, self_test
from gambeson.defenses.private.clipping import clipped_sums
from gambeson.defenses.private.draws import SeededDraws
from gambeson.defenses.private.loop import train_privately

CLAIM, DELTA, STEPS = 2.0, 1e-5, 2
NOISE = 1.9932 * STEPS**0.5
"""A Gaussian mechanism with noise 1.9932 keeps to epsilon 2 at delta 1e-5 (Balle & Wang 2018, theorem 8)."""
HONEST = Mechanism(NOISE, 1.0, STEPS)


def audit(seed: int, train):
    return audit_training(HONEST, CLAIM, DELTA, seed=Seed(seed), train=train)


def honest(trainee, task):
    return train_privately(trainee, replace(task, draws=SeededDraws(task.run.seed.child("draws"))))


def with_noise(factor: float):
    def train(trainee, task):
        mechanism = replace(task.mechanism, noise_multiplier=factor * task.mechanism.noise_multiplier)
        return honest(trainee, replace(task, mechanism=mechanism))

    return train


def test_the_claimed_noise_keeps_the_claim():
    pytest.importorskip("dp_accounting")
    from gambeson.defenses.private.accounting import epsilon_of

    assert epsilon_of(HONEST, DELTA) == pytest.approx(CLAIM, rel=0.01)


@pytest.mark.parametrize("seed", range(5))
def test_a_correct_training_stays_below_its_claim(seed):
    found = audit(seed, honest)
    assert 0.5 < found.bound <= CLAIM
    assert not found.refuted


@pytest.mark.parametrize("factor", [0.5, 0.0])
def test_too_little_noise_is_caught(factor):
    found = audit(0, with_noise(factor))
    assert found.refuted, found
    assert "2.00 is claimed" in str(found)


def test_clipping_after_averaging_is_caught(monkeypatch):
    def averaged_first(module, losses, x, y, clip):
        found = clipped_sums(module, losses, x, y, float("inf"))
        total = torch.cat([value.flatten() for value in found.sums.values()]).norm() / len(x)
        return replace(found, sums={k: v * min(1.0, clip / float(total)) for k, v in found.sums.items()})

    monkeypatch.setattr(loop, "clipped_sums", averaged_first)
    assert audit(0, honest).refuted


def test_a_leak_of_canaries_is_caught():
    """A training that gives out, beside its weights, one record in fifty as it is."""

    def train(trainee, task):
        trained = honest(trainee, task)
        with torch.no_grad():
            rows = task.split.take(np.arange(0, len(task.split), 50))[0].astype(np.int64)
            trained.network.module.logits.weight[torch.from_numpy(rows)] += 1.0
        return trained

    found = audit(0, train)
    assert (found.right, found.guesses) == (1_000, 1_000)
    assert found.refuted


def test_the_self_test_of_this_installation_passes():
    pytest.importorskip("dp_accounting")
    assert not self_test(1.0, Seed(0)).refuted


def test_pure_epsilon_is_refuted_at_the_exact_binomial_tail():
    """With delta 0, theorem 3.1: right guesses are at most binomial with chance e^eps / (1 + e^eps)."""
    bound = epsilon_bound(1_000, 100, 90, 0.0)
    assert binom.sf(89, 100, 1 / (1 + np.exp(-bound))) == pytest.approx(0.05, abs=1e-6)


def test_delta_costs_and_chance_refutes_nothing():
    assert epsilon_bound(1_000, 100, 90, 1e-5) < epsilon_bound(1_000, 100, 90, 0.0)
    assert epsilon_bound(1_000, 100, 52, 1e-5) == 0.0


def test_scores_that_say_nothing_bound_nothing():
    rng = np.random.default_rng(0)
    found = judge_canaries(rng.normal(size=10_000), rng.random(10_000) < 0.5, 1.0, 1e-5)
    assert found.bound == 0.0
    assert found.guesses in (100, 200)


def test_too_few_canaries_are_refused():
    with pytest.raises(UsageError, match="canaries"):
        audit_training(HONEST, CLAIM, DELTA, seed=Seed(0), canaries=50)
