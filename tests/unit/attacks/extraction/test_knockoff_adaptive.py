"""The bandit asks about the kind of input that is rewarded."""

from __future__ import annotations

import numpy as np
import torch

from gambeson.attacks.extraction.knockoff_adaptive import KnockoffAdaptive, _draw, _reward
from gambeson.core.threat import Access
from tests.extraction_worlds import Victim, theft


def test_kinds_are_drawn_by_their_chances_and_each_input_once():
    free = [list(range(100)), list(range(100, 200))]
    picked = _draw(free, np.array([0.9, 0.1]), 80, np.random.default_rng(0))
    assert len(set(picked)) == 80
    assert sum(row < 100 for row in picked) > 60
    assert len(free[0]) + len(free[1]) == 120


def test_a_kind_that_is_used_up_drops_out():
    free = [[0], [1, 2, 3]]
    assert sorted(_draw(free, np.array([1.0, 1e-9]), 4, np.random.default_rng(0))) == [0, 1, 2, 3]


def test_certain_and_novel_answers_are_rewarded():
    new = torch.tensor([[1.0, 0.0], [0.5, 0.5], [0.0, 1.0]])
    old = torch.tensor([[1.0, 0.0]] * 4)
    reward = _reward(new, old, None, torch.zeros(3, 1))
    # certainty 1, 0, 1 and novelty 0, 0.5, 1
    np.testing.assert_allclose(reward, [1.0, 0.5, 2.0])


def test_it_spends_all_of_a_small_purse():
    victim = Victim()
    KnockoffAdaptive(rounds=3).extract(victim.purse(Access.SCORES, 100), theft(updates=15))
    assert len({row.tobytes() for row in victim.asked}) == 100
