"""The inverse network."""

from __future__ import annotations

import pytest
import torch

from gambeson.attacks.privacy.inversion.inverse_network import InverseNetwork, _as_far, _evenly
from gambeson.core.threat import Access
from tests.inversion_worlds import oracle_for, task_for


def test_every_class_is_drawn_equally_often():
    weights = _evenly(torch.tensor([0, 0, 0, 2]))
    assert weights.tolist() == pytest.approx([1 / 3, 1 / 3, 1 / 3, 1.0])


def test_a_faint_guess_is_brought_as_far_from_the_mean_as_inputs_are():
    task = task_for([0])
    u = task.public.flatten(1)
    mean, usual = u.mean(0), float((u - u.mean(0)).norm(dim=1).mean())
    found = _as_far(mean + 0.01 * (u[:1] - mean), task)
    assert float((found - mean).norm()) == pytest.approx(usual, rel=1e-3)


def test_the_ideal_scores_are_the_likeliest_that_were_seen():
    task = task_for([1, 1])
    log_p = torch.tensor([[0.9, 0.1], [0.2, 0.8], [0.4, 0.6], [0.7, 0.3]]).log()
    first, second = InverseNetwork(averaged=1)._ideals(log_p, task)
    assert torch.equal(first, log_p[1])
    assert torch.equal(second, log_p[2])


def test_it_asks_about_the_public_inputs_and_random_ones():
    task = task_for([0, 1], steps=1)
    oracle = oracle_for(task, Access.SCORES)
    InverseNetwork(drawn=2.0).reconstruct(oracle, task)
    assert int(oracle.queries.sum()) == 3 * len(task.public)
