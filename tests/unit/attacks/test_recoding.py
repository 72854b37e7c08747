from __future__ import annotations

import pytest
import torch

from gambeson.attacks.base import Problem
from gambeson.attacks.geometry import PerturbationSet
from gambeson.attacks.randomness import SampleRandom
from gambeson.attacks.recoding import own_codes, recode
from gambeson.core.threat import Norm, ThreatModel
from gambeson.data.schema import Schema
from tests.tables import faults, recoded, sample, schema

N = 64


def problem(categories, of=None, frozen=()):
    of = of or schema()
    threat = ThreatModel(Norm.LINF, 0.1, unit="range", categories=categories, frozen=frozen)
    x = sample(N) if of.features else torch.rand(N, *of.shape)
    ball = PerturbationSet.of(threat, of).around(x)
    return Problem(torch.zeros(N, dtype=torch.int64), ball, SampleRandom(torch.arange(N)), 100, x[:0])


def walk(asked, steps, chance=1.0):
    """Every row on a walk of that many changes."""
    codes = own_codes(asked)
    for t in range(steps):
        codes = recode(asked, codes, t, chance)
        yield asked.ball.space.rules.write(asked.ball.x, codes)


@pytest.mark.parametrize("of", [schema(), Schema((1, 4, 4), ("a", "b"))])
def test_where_nothing_may_change_there_is_nothing_to_choose(of):
    asked = problem(0, of)
    codes = own_codes(asked)
    assert codes.shape == (N, 0)
    assert recode(asked, codes, 0, 1.0) is codes


@pytest.mark.parametrize("budget", [1, 2, 3])
def test_a_walk_keeps_the_budget_and_every_relation(budget):
    asked = problem(budget)
    x = asked.ball.x.numpy()
    for after in walk(asked, 40):
        assert recoded(x, after.numpy()).max() <= budget
        assert faults(schema(), x, after.numpy()) == []
    assert recoded(x, after.numpy()).max() == budget


def test_with_a_budget_of_one_every_category_is_reached():
    asked = problem(1)
    seen = [set() for _ in range(3)]
    for after in walk(asked, 60):
        for place, code in enumerate(asked.ball.space.rules.read(after)[0].tolist()):
            seen[place].add(code)
    assert seen == [{0, 1, 2, 3}, {0, 1, 2}, {0, 1, 2}]


def test_with_the_budget_spent_another_category_changes_and_the_first_is_taken_back():
    asked = problem(1)
    own = own_codes(asked)
    first = own.clone()
    first[:, 1] = (own[:, 1] + 1) % 3
    changed = recode(asked, first, 0, 1.0) != own
    assert (changed.sum(1) <= 1).all()
    assert changed[:, [0, 2]].any(1).sum() > N / 3


def test_a_change_that_moves_a_frozen_feature_is_not_made():
    asked = problem(1, frozen=("zone",))
    for after in walk(asked, 20):
        assert torch.equal(after[:, 7], asked.ball.x[:, 7])


def test_chance_is_the_share_of_rows_that_try():
    asked = problem(3)
    own = own_codes(asked)
    shares = [float((recode(asked, own, t, 0.25) != own).any(1).float().mean()) for t in range(40)]
    assert 0.2 < sum(shares) / 40 < 0.3
