"""Where valid inputs lie."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from gambeson.attacks.privacy.inversion.space import space_of
from gambeson.data.schema import Feature, Kind, Schema

FEATURES = (
    Feature("age", Kind.INTEGER, 10, 30),
    Feature("open", Kind.NUMERIC, -np.inf, np.inf),
    Feature("red", Kind.INTEGER, 0, 1),
    Feature("blue", Kind.INTEGER, 0, 1),
)
SCHEMA = Schema((4,), ("no", "yes"), features=FEATURES, one_hot=(("red", "blue"),))
KNOWN = torch.tensor([[12.0, -4.0, 1.0, 0.0], [20.0, 6.0, 0.0, 1.0]])


def test_units_and_back():
    space = space_of(SCHEMA, KNOWN)
    assert space.to_unit(KNOWN)[:, :2].flatten().tolist() == pytest.approx([0.1, 0.0, 0.5, 1.0])
    assert torch.allclose(space.to_input(space.to_unit(KNOWN)), KNOWN)


def test_an_open_side_without_known_inputs_ends_at_1():
    space = space_of(SCHEMA, KNOWN[:0])
    assert (float(space.low[1]), float(space.width[1])) == (-1.0, 2.0)


def test_the_nearest_valid_input_is_whole_and_in_one_category():
    found = space_of(SCHEMA, KNOWN).valid(torch.tensor([[0.33, 0.5, 0.2, 0.3], [7.0, -1.0, 0.9, 0.1]]))
    assert found.tolist() == [[17.0, 1.0, 0.0, 1.0], [30.0, -4.0, 1.0, 0.0]]


def test_a_feature_without_range_does_not_divide_by_0():
    constant = Schema((1,), ("no", "yes"), features=(Feature("c", Kind.NUMERIC, 3, 3),))
    assert space_of(constant, torch.full((2, 1), 3.0)).to_unit(torch.full((1, 1), 3.0)).tolist() == [[0.0]]
