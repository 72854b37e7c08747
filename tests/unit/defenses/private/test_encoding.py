"""Rows of a table between 0 and 1."""

from __future__ import annotations

import pytest
import torch

from gambeson.core.errors import UsageError
from gambeson.defenses.private.encoding import Encode


def test_numbers_are_scaled_and_categories_spread():
    layer = Encode({0: (10.0, 20.0), 2: (0.0, 4.0)}, {1: 3})
    found = layer(torch.tensor([[15.0, 2.0, 1.0], [20.0, 0.0, 4.0]]))
    assert found.tolist() == [[0.5, 0.25, 0, 0, 1], [1, 1, 1, 0, 0]]
    assert layer.width == 5
    assert list(layer.parameters()) == []


def test_what_is_outside_is_moved_inside():
    layer = Encode({0: (0.0, 1.0)}, {1: 2})
    assert layer(torch.tensor([[9.0, 7.0], [-9.0, -1.0]])).tolist() == [[1, 0, 1], [0, 1, 0]]


@pytest.mark.parametrize(
    ("numbers", "categories"),
    [({0: (1.0, 1.0)}, {}), ({0: (0.0, float("inf"))}, {}), ({}, {0: 0}), ({0: (0.0, 1.0)}, {0: 2})],
)
def test_nonsense_is_refused(numbers, categories):
    with pytest.raises(UsageError):
        Encode(numbers, categories)
