"""The harness hides who is a member and measures the attack itself."""

from __future__ import annotations

import numpy as np
import pytest

from gambeson.attacks.privacy import harness
from gambeson.attacks.privacy.harness import (
    Membership,
    accuracy_at_best_threshold,
    area,
    exposure,
    run_inference,
)
from gambeson.core.errors import InsufficientEvidence, UsageError
from gambeson.core.reproduce import Seed
from tests.membership_worlds import candidates


class Spy:
    """Keeps its task and scores records by the given function of it."""

    def __init__(self, score=lambda task: task.confidence):
        self.score = score

    def infer(self, task):
        self.task = task
        return self.score(task)


def test_records_arrive_in_a_random_order_with_all_that_belongs_to_them():
    world, spy = candidates(leak=1, n=200), Spy()
    run_inference(spy, "spy", world, Seed(0))
    order = [int(np.flatnonzero((world.target == row).all(1))[0]) for row in spy.task.target]
    assert sorted(order) == list(range(200))
    assert 0.3 < np.mean(world.truth[order[:100]]) < 0.7
    np.testing.assert_array_equal(spy.task.labels, world.labels[order])
    np.testing.assert_array_equal(spy.task.answers, world.references.answers[:, order])
    np.testing.assert_array_equal(spy.task.features, world.features[order])
    np.testing.assert_array_equal(spy.task.included, world.references.included[:, order])


def test_scores_come_back_to_their_records():
    world = candidates(leak=1, n=200)
    found = run_inference(Spy(), "spy", world, Seed(0))
    own = world.target[np.arange(200), world.labels]
    np.testing.assert_array_equal(found.members, own[world.truth])
    np.testing.assert_array_equal(found.nonmembers, own[~world.truth])


def test_another_seed_is_another_order():
    world, one, two = candidates(leak=1, n=200), Spy(), Spy()
    run_inference(one, "spy", world, Seed(0))
    run_inference(two, "spy", world, Seed(1))
    assert not np.array_equal(one.task.target, two.task.target)


def test_an_attack_cannot_change_what_the_next_one_sees():
    world, before = candidates(leak=1, n=50), candidates(leak=1, n=50)
    run_inference(Spy(lambda task: task.target.fill(0) or task.confidence), "spy", world, Seed(0))
    np.testing.assert_array_equal(world.target, before.target)


@pytest.mark.parametrize(
    "score", [lambda t: np.zeros(3), lambda t: t.target, lambda t: t.confidence * np.nan]
)
def test_unusable_scores_are_refused(score):
    with pytest.raises(UsageError, match="gave scores of shape"):
        run_inference(Spy(score), "spy", candidates(leak=1, n=50), Seed(0))


def test_figures_carry_the_direction_a_defender_wants():
    found = Membership("planted", np.arange(50.0, 250), np.arange(200.0))
    assert (area(found).better, exposure(found, 0.01).better) == ("lower", "lower")
    assert area(found).value == pytest.approx((150 * 50 + 50 * 200 + 150**2 / 2) / 200**2, abs=1e-3)


def test_the_threshold_is_never_tuned_on_the_records_it_is_reported_on(monkeypatch):
    seen = {}
    monkeypatch.setattr(harness, "best_threshold", lambda a, b: seen.update(a=a, b=b) or 0.0)
    found = Membership("planted", np.arange(1.0, 102), -np.arange(1.0, 52))
    figure = accuracy_at_best_threshold(found, Seed(0))
    assert (len(seen["a"]), len(seen["b"])) == (51, 26)
    assert figure.n == 152 - 77


def test_balanced_accuracy_of_noise_is_one_half_on_average():
    # tuned and reported on the same thirty records it would be 0.65
    rng = np.random.default_rng(0)
    values = [
        accuracy_at_best_threshold(Membership("n", rng.normal(size=15), rng.normal(size=15)), Seed(i)).value
        for i in range(400)
    ]
    assert np.mean(values) == pytest.approx(0.5, abs=0.02)


def test_too_few_records_are_insufficient_evidence():
    with pytest.raises(InsufficientEvidence):
        exposure(Membership("few", np.ones(10), np.ones(10)), 0.01)


class Notes(Spy):
    """Keeps every task."""

    def __init__(self):
        super().__init__()
        self.tasks = []

    def infer(self, task):
        self.tasks.append(task)
        return super().infer(task)


def test_outsiders_are_the_nonmembers_of_the_other_parts():
    world, notes = candidates(leak=1, n=200), Notes()
    found = run_inference(notes, "notes", world, Seed(0), outsiders=True)
    assert len(notes.tasks) == 5
    names = {row.tobytes(): i for i, row in enumerate(world.target)}
    asked = [[names[row.tobytes()] for row in task.target] for task in notes.tasks]
    assert sorted(row for part in asked for row in part) == list(range(200))
    for task, own in zip(notes.tasks, asked, strict=True):
        known = [names[row.tobytes()] for row in task.outsiders.target]
        assert sorted(known) == [i for i in range(200) if i not in own and not world.truth[i]]
        np.testing.assert_array_equal(task.outsiders.features, world.features[known])
    own = world.target[np.arange(200), world.labels]
    np.testing.assert_array_equal(found.members, own[world.truth])


def test_an_attack_that_needs_no_outsiders_gets_none():
    spy = Spy()
    run_inference(spy, "spy", candidates(leak=1, n=50), Seed(0))
    assert spy.task.outsiders is None
