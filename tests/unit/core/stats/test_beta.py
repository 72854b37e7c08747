"""The beta distribution agrees with scipy's, in the middle and in the tails."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import beta

from gambeson.core.stats.beta import beta_cdf, beta_quantile

SHAPES = st.floats(0.5, 50_000)


@given(st.floats(0, 1), SHAPES, SHAPES)
def test_the_distribution_function_is_scipys(x, a, b):
    assert beta_cdf(x, a, b) == pytest.approx(beta.cdf(x, a, b), rel=1e-8, abs=1e-12)


@given(st.floats(1e-4, 1 - 1e-4), st.integers(1, 20_000), st.integers(1, 20_000))
def test_the_quantile_is_scipys(p, a, b):
    assert beta_quantile(p, a, b) == pytest.approx(beta.ppf(p, a, b), rel=1e-8)


def test_outside_the_support_the_distribution_function_is_0_or_1():
    assert (beta_cdf(-0.1, 2, 3), beta_cdf(0, 2, 3), beta_cdf(1, 2, 3), beta_cdf(1.1, 2, 3)) == (0, 0, 1, 1)
