"""A private plan: its bounds, its steps, and what it comes to."""

from __future__ import annotations

import pytest

from gambeson.core.errors import UsageError
from gambeson.defenses.private.plan import PrivatePlan


def test_steps_make_the_epochs():
    assert PrivatePlan(epochs=40, batch=512).steps(60_000) == 4_688
    assert PrivatePlan(epochs=1, batch=10).steps(10) == 1


def test_the_usual_delta_unless_another_is_asked_for():
    assert PrivatePlan().delta_for(60_000) == pytest.approx(1e-5)
    assert PrivatePlan(delta=1e-6).delta_for(60_000) == 1e-6


def test_the_mechanism_keeps_the_promise():
    pytest.importorskip("dp_accounting")
    from gambeson.defenses.private.accounting import epsilon_of

    found = PrivatePlan(epsilon=2.0, epochs=3, batch=50).mechanism(100)
    assert (found.rate, found.steps) == (0.5, 6)
    assert 1.99 < epsilon_of(found, 1e-3) <= 2.0


@pytest.mark.parametrize(
    "changes",
    [
        {"epochs": 0},
        {"batch": 0},
        {"batch": 101},
        {"at_once": 0},
        {"clip": 0.0},
        {"clip": float("inf")},
        {"learning_rate": -1.0},
        {"momentum": 1.0},
        {"average": -0.1},
    ],
)
def test_what_makes_no_sense_is_refused(changes):
    with pytest.raises(UsageError):
        PrivatePlan(**{"batch": 10, **changes}).check(100)
