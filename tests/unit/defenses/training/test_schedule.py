"""Learning rate and radius over a training."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gambeson.defenses.training.schedule import learning_rate, radius


def test_the_learning_rate_rises_for_a_quarter_and_falls_to_the_end():
    assert learning_rate(0.25) == pytest.approx(1)
    assert learning_rate(0) == learning_rate(1) == pytest.approx(1e-3)
    assert learning_rate(0.625) == pytest.approx(0.5, abs=1e-3)


@given(st.floats(0, 1), st.floats(0, 0.99))
def test_the_radius_grows_to_one_and_stays(share, ramp):
    assert 0 <= radius(share, ramp) <= 1
    assert radius(1, ramp) == 1
    assert radius(share, 0) == 1


def test_halfway_up_the_ramp_the_radius_is_half():
    assert radius(0.15, 0.3) == pytest.approx(0.5)
