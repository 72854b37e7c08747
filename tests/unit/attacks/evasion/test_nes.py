"""NES on a model whose boundary is known."""

from __future__ import annotations

import pytest

from gambeson.core.threat import Norm
from tests.linear_world import attack, exact


@pytest.mark.parametrize("norm", [Norm.LINF, Norm.L2])
def test_on_a_linear_model_it_breaks_what_lies_well_inside_and_nothing_else(norm):
    inside = 1.3 * exact(norm).max()
    assert attack("nes", norm, inside, queries=2000, probes=20).fallen.all()
    assert not attack("nes", norm, 0.9 * exact(norm).min(), queries=2000, probes=20).fallen.any()
