"""The beta distribution: what exact binomial intervals need, without a numerical package."""

from __future__ import annotations

import math

_TINY = 1e-300
_ACCURACY = 1e-15


def beta_cdf(x: float, a: float, b: float) -> float:
    """Regularised incomplete beta function I_x(a, b), accurate to about 1e-12.

    Args:
        x: In [0, 1].
        a: Above 0.
        b: Above 0.

    Source: continued fraction of DLMF 8.17.22, evaluated with Lentz's algorithm as modified by
    Thompson & Barnett 1986; it converges quickly on the side of the mean that the symmetry
    I_x(a, b) = 1 - I_{1-x}(b, a) lets us choose.
    """
    if x <= 0 or x >= 1:
        return float(x >= 1)
    if x > (a + 1) / (a + b + 2):
        return 1 - beta_cdf(1 - x, b, a)
    log_front = math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + a * math.log(x) + b * math.log1p(-x)
    return math.exp(log_front) / a * _fraction(x, a, b)


def beta_quantile(p: float, a: float, b: float) -> float:
    """The x with I_x(a, b) = p, by bisection to the last bit."""
    low, high = 0.0, 1.0
    while True:
        middle = (low + high) / 2
        if middle in (low, high):
            return middle
        if beta_cdf(middle, a, b) < p:
            low = middle
        else:
            high = middle


def _fraction(x: float, a: float, b: float) -> float:
    """1 / (1 + d_1 / (1 + d_2 / ...)) with the coefficients d_m of DLMF 8.17.23."""
    value, c, d, m = 1.0, 1.0, 0.0, 0
    while True:
        m += 1
        k = m // 2
        if m % 2:
            coefficient = -(a + k) * (a + b + k) * x / ((a + 2 * k) * (a + 2 * k + 1))
        else:
            coefficient = k * (b - k) * x / ((a + 2 * k - 1) * (a + 2 * k))
        d = 1 / _not_zero(1 + coefficient * d)
        c = _not_zero(1 + coefficient / c)
        value *= c * d
        if abs(c * d - 1) < _ACCURACY:
            return 1 / value


def _not_zero(value: float) -> float:
    return value if abs(value) > _TINY else _TINY
