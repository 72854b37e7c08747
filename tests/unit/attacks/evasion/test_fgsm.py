"""FGSM on a model whose boundary is known."""

from __future__ import annotations

import pytest

from gambeson.core.threat import Norm
from tests.linear_world import attack, exact


@pytest.mark.parametrize("norm", [Norm.LINF, Norm.L2])
def test_on_a_linear_model_one_step_breaks_what_can_be_broken(norm):
    eps = float(exact(norm).mean())
    found = attack("fgsm", norm, eps)
    assert found.fallen.tolist() == (exact(norm) < eps).tolist()
    assert found.queries.max() == 2
