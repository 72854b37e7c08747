"""The statement says what was done, and what it does not cover."""

from __future__ import annotations

import pytest

from gambeson.defenses.private.accounting import Mechanism, epsilon_of
from gambeson.defenses.private.plan import PrivatePlan
from gambeson.defenses.private.statement import state

pytest.importorskip("dp_accounting")
PLAN, MECHANISM = PrivatePlan(epsilon=3.0, batch=50), Mechanism(2.0, 1.0, 3)


def test_it_states_what_the_mechanism_spends_not_what_was_asked_for():
    found = state(PLAN, MECHANISM, 1_000, secret=True)
    assert found.epsilon == epsilon_of(MECHANISM, 1e-4)
    assert found.asked == 3.0
    assert found.holds
    assert "for each of 1,000 records" in str(found)
    assert any("other trainings" in line for line in found.not_covered)


def test_a_seed_undoes_it():
    found = state(PLAN, MECHANISM, 1_000, secret=False)
    assert not found.holds
    assert "not against who knows the seed" in str(found)


def test_given_weights_are_of_concern():
    assert state(PLAN, MECHANISM, 1_000, secret=True).concerns == ()
    assert "given weights" in state(PLAN, MECHANISM, 1_000, secret=True, public=True).concerns[0]
