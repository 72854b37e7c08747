"""Augmentation on logistic regression, where a robust feature stands beside a fragile one."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

import gambeson as gb
from gambeson.attacks.ensemble import stage
from gambeson.attacks.geometry import PerturbationSet
from gambeson.attacks.harness import Run
from gambeson.attacks.robustness import measure_robustness
from gambeson.core.errors import Unavailable
from gambeson.core.reproduce import Seed
from gambeson.data.dataset import ArraySplit
from gambeson.defenses.augmentation import Augmentation, _samples, augment
from gambeson.models.passes import Passes
from tests.training_world import SCHEMA, space

PLAN = Augmentation(rounds=4, rows=150, queries=60, held_out=60)


def split(n: int = 300, seed: int = 0) -> ArraySplit:
    """The first feature is robust to 0.2 and noisy; the second is fragile, and right on every row."""
    rng = np.random.default_rng(seed)
    y = rng.integers(2, size=n)
    robust = 0.3 + 0.4 * y + rng.normal(0, 0.08, n)
    fragile = 0.49 + 0.02 * y + rng.uniform(-0.004, 0.004, n)
    return ArraySplit(np.stack([robust, fragile], 1).astype(np.float32).clip(0, 1), y)


@pytest.fixture(scope="module")
def fitted(tmp_path_factory):
    from skops.io import dump

    x, y = split().take(np.arange(300))
    path = tmp_path_factory.mktemp("fitted") / "model.skops"
    dump(LogisticRegression(C=1e6, max_iter=5000).fit(x, y), path)
    return gb.open_model(str(path), schema=SCHEMA)


@pytest.fixture(scope="module")
def augmented(fitted):
    notes = []
    return augment(fitted, split(), space(0.1), PLAN, Run(Seed(0)), notes.append), notes


def robust_accuracy(model) -> float:
    x, y = split(150, seed=7).take(np.arange(150))
    stages = [stage("square", queries=200)]
    found = measure_robustness(
        stages, Passes(model), _samples(x, y, np.arange(150)), space(0.1), run=Run(Seed(1))
    )
    return found.robust_accuracy.value


def test_the_model_learns_to_rely_on_the_robust_feature(fitted, augmented):
    assert robust_accuracy(fitted) < 0.5
    assert robust_accuracy(augmented[0].model) > 0.8


def test_every_round_is_told_and_grows_by_what_fooled_the_one_before(augmented):
    rounds = augmented[0].rounds
    assert len(rounds) == len(augmented[1]) == 4
    assert augmented[0].complete
    assert rounds[0].rows == 240
    assert all(later.rows > earlier.rows for earlier, later in pairwise(rounds))


def test_what_is_saved_opens_as_the_same_model(augmented, tmp_path):
    model = augmented[0].model
    path = tmp_path / f"model{model.suffix}"
    path.write_bytes(model.saved())
    x, _ = split(20, seed=3).take(np.arange(20))
    assert np.array_equal(gb.open_model(str(path), schema=SCHEMA).scores(x), model.scores(x))


def test_the_same_seed_gives_the_same_model(fitted, augmented):
    again = augment(fitted, split(), space(0.1), PLAN, Run(Seed(0)))
    x, _ = split(20, seed=3).take(np.arange(20))
    assert np.array_equal(again.model.scores(x), augmented[0].model.scores(x))


def test_the_deadline_ends_it_after_the_round(fitted):
    clock = iter([0.0, 2.0, 2.0])
    run = Run(Seed(0), deadline=1.0, clock=lambda: next(clock, 2.0))
    found = augment(fitted, split(), space(0.1), PLAN, run)
    assert len(found.rounds) == 1
    assert not found.complete


def test_a_norm_without_a_black_box_attack_is_refused(fitted):
    never = PerturbationSet.of(gb.ThreatModel(norm="l0", eps=1), SCHEMA)
    with pytest.raises(Unavailable):
        augment(fitted, split(), never, PLAN, Run(Seed(0)))
