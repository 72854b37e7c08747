"""ZOO on a model whose boundary is known."""

from __future__ import annotations

import pytest

from gambeson.core.threat import Norm
from tests.linear_world import excess


@pytest.mark.parametrize(("norm", "most"), [(Norm.L2, 0.2)])
def test_on_a_linear_model_it_finds_the_nearest_point(norm, most):
    assert excess("zoo", norm, queries=4000, coordinates=8, learning_rate=0.005, balance=0.01) < most
