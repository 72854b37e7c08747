"""Kept perturbations: what was found comes back, as a share of the radius, to within half a byte's step."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from gambeson.core.errors import UsageError
from gambeson.defenses.training.memory import Memory
from tests.training_world import batch, space


def test_what_is_kept_comes_back_as_a_share_of_the_radius():
    b, memory = batch(4, eps=0.1), Memory(10, (2,))
    memory.keep(np.array([7, 2, 3, 0]), b.ball, b.x + torch.tensor([0.1, -0.05]))
    found = memory.recall(np.array([2, 7, 5]))
    assert torch.allclose(found[:2], torch.tensor([1.0, -0.5]).expand(2, 2), atol=0.5 / 127 + 1e-5)
    assert not found[2].any()  # nothing was kept of the fifth


def test_a_share_is_of_the_radius_in_units_of_each_feature():
    ball = space(0.2).around(batch(2).x)
    memory = Memory(2, (2,))
    memory.keep(np.array([0, 1]), ball, ball.x + 0.1)
    assert torch.allclose(memory.recall(np.array([0, 1])), torch.tensor(0.5), atol=0.5 / 127 + 1e-5)


def test_it_goes_through_arrays():
    b, memory, other = batch(3), Memory(3, (2,)), Memory(3, (2,))
    memory.keep(np.arange(3), b.ball, b.x - 0.03)
    other.put_back(memory.arrays())
    assert torch.equal(other.recall(np.arange(3)), memory.recall(np.arange(3)))


def test_an_attacker_that_gives_several_inputs_is_refused():
    b = batch(3)
    with pytest.raises(UsageError, match="several inputs"):
        Memory(3, (2,)).keep(np.arange(3), b.ball, torch.stack([b.x, b.x]))
