"""GeoDA on a model whose boundary is known."""

from __future__ import annotations

import pytest

from gambeson.core.threat import Norm
from tests.linear_world import excess


@pytest.mark.parametrize(("norm", "most"), [(Norm.LINF, 0.15), (Norm.L2, 0.05)])
def test_on_a_linear_model_it_finds_the_nearest_point(norm, most):
    assert excess("geoda", norm, queries=3000, frequencies=1.0) < most
