"""Inversion by labels."""

from __future__ import annotations

import torch

from gambeson.attacks.privacy.inversion.boundary import Boundary, _shared
from gambeson.core.threat import Access
from tests.inversion_worlds import PatternModel, oracle_for, task_for


def test_what_it_finds_is_of_the_wanted_class():
    task = task_for([0, 1, 2, 2])
    x = Boundary().reconstruct(oracle_for(task, Access.LABELS), task)
    assert PatternModel().forward(x).argmax(1).tolist() == [0, 1, 2, 2]


def test_it_goes_further_into_the_class_than_where_it_began():
    def margin(steps: int) -> float:
        task = task_for([0, 1, 2, 2], steps=steps)
        x = Boundary().reconstruct(oracle_for(task, Access.LABELS), task)
        top = PatternModel().forward(x).topk(2).values
        return float((top[:, 0] - top[:, 1]).mean())

    assert margin(40) > margin(0)


def test_a_wish_without_a_start_takes_one_of_its_class():
    z = torch.tensor([[0.0], [5.0], [0.0]])
    found = _shared(z, torch.tensor([True, False, True]), torch.tensor([3, 3, 4]))
    assert found.tolist() == [[5.0], [5.0], [0.0]]
