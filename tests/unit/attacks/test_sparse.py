"""Sparse steps: which features move, and how the step follows the support."""

from __future__ import annotations

import torch

from gambeson.attacks import sparse
from gambeson.attacks.geometry import PerturbationSet
from gambeson.core.threat import Norm, ThreatModel
from gambeson.data.schema import Schema

SCHEMA = Schema((5,), ("a", "b"))


def ball(x):
    return PerturbationSet.of(ThreatModel(Norm.L1, 1.0), SCHEMA).around(x)


def test_the_largest_entries_move_and_share_one_unit():
    around = ball(torch.full((2, 5), 0.5))
    grad = torch.tensor([[3.0, -2.0, 1.0, 0.5, 0.0], [0.0, 0.1, -4.0, 0.2, 0.3]])
    step = sparse.ascent(around, torch.zeros(2, 5), grad, torch.tensor([0.4, 0.2]))
    assert step.tolist() == [[0.5, -0.5, 0.0, 0.0, 0.0], [0.0, 0.0, -1.0, 0.0, 0.0]]


def test_a_feature_at_its_bound_is_not_pushed_further():
    around = ball(torch.tensor([[1.0, 0.5, 0.5, 0.5, 0.5]]))
    grad = torch.tensor([[9.0, 1.0, 0.0, 0.0, 0.0]])
    step = sparse.ascent(around, torch.zeros(1, 5), grad, torch.tensor([0.2]))
    assert step.tolist() == [[0.0, 1.0, 0.0, 0.0, 0.0]]


def test_at_least_one_feature_moves():
    around = ball(torch.full((1, 5), 0.5))
    step = sparse.ascent(around, torch.zeros(1, 5), torch.arange(5.0)[None], torch.tensor([0.0]))
    assert step.tolist() == [[0.0, 0.0, 0.0, 0.0, 1.0]]


def test_a_support_that_shrinks_gets_the_whole_step_back_and_any_other_a_shorter_one():
    best = torch.tensor([[1.0, 0.0, 0.0, 0.0, 0.0], [1.0, 1.0, 0.0, 0.0, 0.0]])
    share, length, shrinks = sparse.review(best, torch.tensor([0.4, 0.4]), torch.tensor([0.2, 0.6]), 1.0)
    torch.testing.assert_close(share, torch.tensor([0.2, 0.4]))
    torch.testing.assert_close(length, torch.tensor([1.0, 0.4]))
    assert shrinks.tolist() == [True, False]


def test_the_step_never_falls_below_a_tenth_of_the_radius():
    best = torch.ones(1, 5)
    _, length, _ = sparse.review(best, torch.ones(1), torch.tensor([0.11]), 1.0)
    torch.testing.assert_close(length, torch.tensor([0.1]))


def test_reviews_come_every_twenty_fifth_of_a_run():
    assert [sparse.interval(steps) for steps in (10, 50, 100)] == [1, 2, 4]
