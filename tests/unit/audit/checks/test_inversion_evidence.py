"""Figures and exhibits of inversion, on reconstructions made by hand."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from gambeson.attacks.privacy.inversion.harness import Reconstructions
from gambeson.attacks.privacy.inversion.judge import train_judge
from gambeson.audit.checks.inversion_evidence import (
    attacks_compared,
    judge_accuracy,
    judged,
    measure,
    reconstructions_shown,
)
from gambeson.audit.checks.inversion_ground import divide_ground, plan_inversion
from gambeson.core.reproduce import Seed
from tests.inversion_worlds import patterns
from tests.unit.audit.checks.inversion_context import context_for

CONTEXT = context_for("privacy.inversion")
GROUND = divide_ground(CONTEXT)
PLAN = plan_inversion(CONTEXT, GROUND)
CLASSES = torch.arange(5).repeat_interleave(3)


@pytest.fixture(scope="module")
def judge():
    return train_judge(GROUND.judging.x, GROUND.judging.y, GROUND.space, 5, updates=80, seed=Seed(0))


def made(name: str, x: torch.Tensor) -> Reconstructions:
    return Reconstructions(name, CLASSES, x, queries=150)


def figures(judge, *items):
    known = [judged(item, judge, GROUND) for item in items]
    return measure(known, judge, judge_accuracy(judge, GROUND), GROUND, PLAN, Seed(0))


def test_true_patterns_are_recognised_and_shifted_ones_are_not(judge):
    right, wrong = made("right", patterns()[CLASSES]), made("wrong", patterns()[(CLASSES + 1) % 5])
    found = figures(judge, wrong, right)
    assert found.strongest.found is right
    assert found.top1.value == 1
    assert "Bonferroni over 2" in found.top1.interval.method
    by_name = {m.name: m.value for m in found.all}
    assert (by_name["right.top1"], by_name["wrong.top1"]) == (1, 0)
    assert found.baseline.value < 0.1


def test_copies_of_training_records_are_nearer_to_them(judge):
    records = torch.cat([GROUND.members.of(c)[:3] for c in range(5)])
    assert figures(judge, made("copies", records)).records.value > 0.7


def test_fresh_records_are_as_near_to_one_as_to_the_other(judge):
    means = torch.stack([GROUND.fresh.of(int(c)).mean(0) for c in CLASSES])
    interval = figures(judge, made("means", means)).records.interval
    assert interval.low < 0.5 < interval.high


def test_the_table_names_every_attack_and_its_price(judge):
    rows = attacks_compared([judged(made("one", patterns()[CLASSES]), judge, GROUND)]).rows
    assert rows[0][:4] == ("one", 15, 100.0, 100.0)
    assert rows[0][5] == 10


def test_the_grid_shows_the_mean_beside_every_reconstruction(judge):
    one, two = (judged(made(name, patterns()[CLASSES]), judge, GROUND) for name in ("one", "two"))
    grid = reconstructions_shown([one, two], GROUND, tuple("abcde"))
    assert grid.head == ("true mean", "one 1", "one 2", "two 1", "two 2")
    assert grid.labels == tuple("abcde")
    assert all(row[1] == row[2] for row in grid.rows)
    assert len({row[1] for row in grid.rows}) == 5


def test_rank_counts_the_classes_that_the_judge_finds_likelier(judge):
    item = judged(made("one", patterns()[CLASSES]), judge, GROUND)
    assert item.rank.tolist() == [0] * 15
    assert (judged(made("two", patterns()[(CLASSES + 1) % 5]), judge, GROUND).rank > 0).all()
    assert np.isfinite(item.like).all()
