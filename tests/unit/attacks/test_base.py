from __future__ import annotations

from dataclasses import dataclass

import torch

from gambeson.attacks.base import State, where


@dataclass(frozen=True, slots=True)
class Example(State):
    points: torch.Tensor
    count: int


def test_a_state_keeps_the_rows_that_stand_and_what_has_no_rows():
    kept = Example(torch.arange(6).reshape(3, 2), 7).select(torch.tensor([2, 0]))
    assert kept.points.tolist() == [[4, 5], [0, 1]]
    assert kept.count == 7


def test_where_chooses_whole_rows():
    new, old = torch.ones(2, 2), torch.zeros(2, 2)
    assert where(torch.tensor([True, False]), new, old).tolist() == [[1, 1], [0, 0]]
