"""The moves of random search under l2 and l1."""

from __future__ import annotations

import pytest
import torch

from gambeson.attacks.base import Problem
from gambeson.attacks.geometry import PerturbationSet
from gambeson.attacks.randomness import SampleRandom
from gambeson.attacks.windows import _bump, candidate, tiles
from gambeson.core.threat import Norm, ThreatModel
from gambeson.data.schema import Schema

NORMS = [Norm.L2, Norm.L1]


def problem(shape, norm, eps=1.0, low=-10.0, high=10.0):
    schema = Schema(shape, ("a", "b"), low=low, high=high)
    space = PerturbationSet.of(ThreatModel(norm, eps), schema)
    x = torch.zeros(4, *shape)
    return Problem(
        torch.zeros(4, dtype=torch.int64), space.around(x), SampleRandom(torch.arange(4)), 10, x[:0]
    )


@pytest.mark.parametrize("norm", NORMS)
@pytest.mark.parametrize("shape", [(1, 28, 28), (3, 5, 7), (2, 2, 2), (9,)])
def test_the_start_and_every_candidate_use_the_whole_budget_where_the_box_allows(shape, norm):
    given = problem(shape, norm)
    delta = tiles(given)
    for t in range(1, 6):
        torch.testing.assert_close(given.ball.space.measure(delta), torch.ones(4), atol=1e-4, rtol=0)
        delta = candidate(given, delta, 0.1, t)


def test_budget_outside_both_windows_stays_where_it_was():
    given = problem((1, 20, 20), Norm.L2)
    before = tiles(given)
    after = candidate(given, before, 0.02, 1)  # two squares of 3 x 3
    changed = (before != after).flatten(1).sum(1)
    assert (changed <= 18).all()
    assert (changed >= 9).all()


def test_what_the_box_took_away_is_spent_by_the_next_candidate():
    given = problem((1, 6, 6), Norm.L2, eps=2.0, low=-0.3, high=0.3)
    delta = given.ball.project(torch.zeros_like(given.ball.x))
    sizes = []
    for t in range(1, 40):
        delta = candidate(given, delta, 0.2, t)
        sizes.append(float(given.ball.space.measure(delta).min()))
    assert delta.abs().max() <= 0.3
    assert max(sizes) > 1.0 > sizes[0]


def test_a_frozen_feature_is_left_alone():
    given = problem((8,), Norm.L2)
    frozen = torch.arange(8) < 3
    space = PerturbationSet(
        Norm.L2, 1.0, torch.full((8,), -9.0), torch.full((8,), 9.0), torch.ones(8), frozen, frozen & False
    )
    given = Problem(given.y, space.around(given.ball.x), given.rng, 10, given.donors)
    delta = tiles(given)
    for t in range(1, 5):
        assert not delta[:, :3].any()
        delta = candidate(given, delta, 0.3, t)


def test_a_bump_goes_up_on_one_half_and_down_on_the_other():
    bump = _bump(5)
    assert (bump[:2] > 0).all()
    assert (bump[2:] < 0).all()
    torch.testing.assert_close(bump.norm(), torch.tensor(1.0))
    # Middle of a 3 x 3 pyramid: 1 + 1/4; on its frame: 1/4.
    tower = -_bump(5)[2:]
    torch.testing.assert_close(tower[1, 2] / tower[1, 1], torch.tensor((1 + 1 / 4 + 1 / 9) / (1 / 4 + 1 / 9)))
