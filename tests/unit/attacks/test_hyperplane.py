"""Steps onto a hyperplane inside a box, against linear programs and a closed form."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog, minimize

from gambeson.attacks.hyperplane import to_hyperplane
from gambeson.core.threat import Norm


def problem(seed: int, size: int):
    rng = np.random.default_rng(seed)
    w = rng.normal(size=size)
    low, high = -rng.uniform(0, 1, size), rng.uniform(0, 1, size)
    reach = np.where(w > 0, w * high, w * low).sum()
    return w, rng.uniform(0.05, 0.95) * reach, low, high


def solve(w, c, low, high, norm):
    d = to_hyperplane(
        *(torch.tensor(v[None], dtype=torch.float64) for v in (w, np.array(c), low, high)), norm
    )
    return d[0].numpy()


def shortest(w, c, low, high, norm) -> float:
    """The optimum by a general solver."""
    n = len(w)
    if norm is Norm.L2:
        start = solve(w, c, low, high, Norm.LINF)
        found = minimize(
            lambda d: d @ d,
            start,
            jac=lambda d: 2 * d,
            bounds=list(zip(low, high, strict=True)),
            constraints={"type": "eq", "fun": lambda d: w @ d - c, "jac": lambda d: w},
            method="SLSQP",
            options={"ftol": 1e-14, "maxiter": 500},
        )
        return float(np.sqrt(found.fun))
    extra = 1 if norm is Norm.LINF else n
    link = np.ones((n, 1)) if norm is Norm.LINF else np.eye(n)
    above = np.block([[np.eye(n), -link], [-np.eye(n), -link]])
    found = linprog(
        np.r_[np.zeros(n), np.ones(extra)],
        A_ub=above,
        b_ub=np.zeros(2 * n),
        A_eq=np.r_[w, np.zeros(extra)][None],
        b_eq=[c],
        bounds=[*zip(low, high, strict=True), *[(0, None)] * extra],
    )
    return float(found.fun)


@settings(deadline=None, max_examples=25)
@given(
    seed=st.integers(0, 10_000), size=st.integers(1, 7), norm=st.sampled_from([Norm.LINF, Norm.L2, Norm.L1])
)
def test_no_shorter_step_reaches_the_plane(seed, size, norm):
    w, c, low, high = problem(seed, size)
    d = solve(w, c, low, high, norm)
    assert w @ d == pytest.approx(c, abs=1e-9)
    assert ((d >= low - 1e-12) & (d <= high + 1e-12)).all()
    length = np.linalg.norm(d, {Norm.LINF: np.inf, Norm.L2: 2, Norm.L1: 1}[norm])
    assert length == pytest.approx(shortest(w, c, low, high, norm), abs=1e-5)


@pytest.mark.parametrize("norm", [Norm.LINF, Norm.L2, Norm.L1])
def test_a_plane_out_of_reach_draws_everything_to_its_bound(norm):
    w, low, high = np.array([1.0, -2.0]), np.array([-0.1, -0.2]), np.array([0.3, 0.4])
    assert solve(w, 10.0, low, high, norm).tolist() == pytest.approx([0.3, -0.2])
    assert solve(w, -10.0, low, high, norm).tolist() == pytest.approx([-0.1, 0.4])
