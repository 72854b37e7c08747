from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from gambeson.attacks import harness
from gambeson.attacks.ensemble import Trail, run_in_turn, stage
from gambeson.attacks.geometry import PerturbationSet
from gambeson.attacks.harness import Run
from gambeson.core.errors import UsageError
from gambeson.core.reproduce import Seed
from gambeson.core.threat import Norm, ThreatModel
from gambeson.models.passes import Passes
from tests.tiny_models import TensorModel, perceptron
from tests.unit.attacks.test_harness import SCHEMA, Ticking, samples

STAGES = (stage("pgd", "first", steps=2), stage("pgd", "second", steps=20), stage("square", queries=30))


def attack(stages=STAGES, **settings):
    run = {"seed": Seed(0), **{k: v for k, v in settings.items() if k != "budget"}}
    space = PerturbationSet.of(ThreatModel(Norm.LINF, 0.08), SCHEMA)
    return run_in_turn(
        stages, Passes(perceptron()), samples(), space, budget=settings.get("budget"), run=Run(**run)
    )


def test_each_stage_gets_what_the_ones_before_left():
    found = attack()
    tried = [record.tried for record in found.records]
    fell = [record.fell for record in found.records]
    assert tried == [40, 40 - fell[0], 40 - fell[0] - fell[1]]
    assert sum(fell) == found.fallen.sum() > 0
    assert [(found.stage == i).sum() for i in range(3)] == fell


def test_queries_add_up_over_the_stages():
    found = attack()
    assert set(found.queries[found.stage == -1]) == {3 + 21 + 30}


def test_a_budget_holds_over_all_stages():
    assert attack(budget=10).queries.max() == 10


def test_a_stage_that_never_began_is_said_so():
    found = attack(deadline=6.0, clock=Ticking())
    last = found.records[-1]
    assert last.unfinished == last.tried > 0
    assert found.unfinished > 0


class WrongInHalf(TensorModel):
    """Answers something else in bfloat16, as rounding could make it."""

    gains_from_half = True

    def forward(self, x):
        scores = super().forward(x)
        return -scores if torch.is_autocast_enabled("cpu") else scores


def test_what_only_bfloat16_believes_is_refuted_and_stands():
    tiny = perceptron()
    passes = Passes(WrongInHalf(tiny.module, tiny.info.shape, tiny.info.classes))
    space = PerturbationSet.of(ThreatModel(Norm.LINF, 1e-6), SCHEMA)
    rough = replace(stage("pgd", steps=2), rough=True)
    found = run_in_turn([rough, stage("pgd", "after", steps=2)], passes, samples(), space, run=Run(Seed(0)))
    assert not found.fallen.any()
    assert [(r.tried, r.fell, r.refuted) for r in found.records] == [(40, 0, 40), (40, 0, 0)]


def test_an_unknown_parameter_is_named():
    with pytest.raises(UsageError, match="stepz"):
        stage("pgd", stepz=3)


def test_an_unknown_attack_has_its_nearest_name():
    with pytest.raises(UsageError, match="did you mean 'square'"):
        stage("sqare")


def test_standing_samples_are_returned_as_they_were():
    found = attack()
    assert np.array_equal(found.adversarial[~found.fallen], samples().x.numpy()[~found.fallen])


def chosen(item, count=40):
    standing = np.arange(100, 100 + count)
    tried = np.arange(100, 110)
    trails = {"look": Trail(item.attack, tried, 0.0), "hit": Trail(item.attack, tried, 0.4)}
    return item.choose(standing, np.linspace(0, 1, count), trails).tolist()


def test_a_stage_for_close_samples_gets_those_and_never_fewer_than_sixteen():
    item = stage("pgd")
    assert chosen(item) == list(range(100, 140))
    assert chosen(replace(item, close=0.5)) == list(range(100, 120))
    assert chosen(replace(item, close=0.01)) == list(range(100, 116))
    assert chosen(replace(item, close=0.01), 5) == list(range(100, 105))


def test_a_probe_gets_the_closest_and_those_furthest_from_falling():
    assert chosen(replace(stage("pgd"), probe=5)) == [100, 101, 102, 138, 139]
    assert chosen(replace(stage("pgd"), probe=5), 3) == [100, 101, 102]
    assert chosen(replace(stage("pgd"), probe=60)) == list(range(100, 140))


def test_a_stage_waits_for_another_to_have_broken_something():
    assert chosen(replace(stage("pgd"), after="look")) == []
    assert chosen(replace(stage("pgd"), after="never ran")) == []
    assert chosen(replace(stage("pgd"), after="hit")) == list(range(110, 140))


def test_it_then_gets_what_is_about_as_near_and_was_not_tried_alike():
    item = replace(stage("pgd"), after="hit", reach=1.5)  # 1.5 x 0.4 of 39 steps: samples 0 to 23
    assert chosen(item) == list(range(110, 124))
    trail = {"hit": Trail(stage("pgd", steps=3).attack, np.arange(100, 110), 0.4)}
    left = np.linspace(0, 1, 40)
    assert item.choose(np.arange(100, 140), left, trail).tolist() == list(range(100, 124))


def test_the_passes_at_which_a_sample_fell_are_those_of_all_samples_going_side_by_side():
    found = attack()
    n, spent = len(found.fallen), 0
    queries = [attack(STAGES[: i + 1]).queries for i in range(3)]
    alone = [queries[0], queries[1] - queries[0], queries[2] - queries[1]]
    for number, mine in enumerate(alone):
        for row in np.flatnonzero(found.stage == number):
            together = sum(min(int(other), int(mine[row])) for other in mine)
            assert found.fell_at[row] == pytest.approx((spent + together) / n)
        spent += int(mine.sum())
        assert found.records[number].queries == mine.sum()
    assert np.isinf(found.fell_at[~found.fallen]).all()


def test_progress_ends_at_what_was_verified(monkeypatch):
    fallen = []
    found = attack(report=lambda work, fell: fallen.append(fell))
    assert sum(fallen) == found.fallen.sum() > 0
    taken_back = []
    monkeypatch.setattr(harness, "verify", lambda passes, x, y, ball: torch.zeros(len(x), dtype=torch.bool))
    found = attack(report=lambda work, fell: taken_back.append(fell))
    assert found.fallen.sum() == 0 == sum(taken_back)
    assert min(taken_back) < 0
