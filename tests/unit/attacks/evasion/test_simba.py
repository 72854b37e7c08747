"""SimBA on a model whose boundary is known."""

from __future__ import annotations

import pytest

from gambeson.attacks.evasion.simba import SimBA
from gambeson.core.errors import UsageError
from gambeson.core.threat import Norm
from tests.linear_world import attack, exact


@pytest.mark.parametrize("norm", [Norm.LINF, Norm.L2])
def test_on_a_linear_model_it_breaks_what_lies_well_inside_and_nothing_else(norm):
    inside = 1.3 * exact(norm).max()
    assert attack("simba", norm, inside, steps=400, step_size=0.01, basis="pixel").fallen.all()
    assert not attack(
        "simba", norm, 0.9 * exact(norm).min(), steps=400, step_size=0.01, basis="pixel"
    ).fallen.any()


def test_low_frequencies_break_it_too():
    found = attack("simba", Norm.L2, 1.6 * exact(Norm.L2).max(), frequencies=1.0, step_size=0.01)
    assert found.fallen.all()


def test_an_unknown_basis_is_refused():
    with pytest.raises(UsageError, match="Unknown basis 'fourier'"):
        SimBA(basis="fourier")
