"""Tails agree with SciPy and with counting."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from gambeson.core.errors import InsufficientEvidence, UsageError
from gambeson.core.stats import binomial_tail, student_tail


@given(st.integers(1, 300), st.floats(0.01, 0.99), st.data())
def test_the_binomial_tail_is_that_of_scipy(n, chance, data):
    k = data.draw(st.integers(0, n))
    assert binomial_tail(k, n, chance) == pytest.approx(stats.binom.sf(k - 1, n, chance), rel=1e-6, abs=1e-12)


def test_the_binomial_tail_of_two_coins():
    assert [binomial_tail(k, 2, 0.5) for k in (0, 1, 2)] == pytest.approx([1, 0.75, 0.25])


@given(st.integers(1, 200), st.floats(-30, 30))
def test_the_tail_of_t_is_that_of_scipy(freedom, t):
    assert student_tail(t, freedom) == pytest.approx(stats.t.sf(t, freedom), rel=1e-6, abs=1e-10)


def test_what_makes_no_sense_is_refused():
    with pytest.raises(UsageError, match="degrees of freedom"):
        student_tail(1.0, 0)
    with pytest.raises(UsageError, match="chance"):
        binomial_tail(1, 2, 1.0)
    with pytest.raises(UsageError, match="3 successes out of 2"):
        binomial_tail(3, 2, 0.5)
    with pytest.raises(InsufficientEvidence):
        binomial_tail(0, 0, 0.5)
