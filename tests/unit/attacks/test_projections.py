from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize

from gambeson.attacks.projections import project_l0, project_l1, project_l2, project_linf

finite = st.floats(-3, 3, width=32)


def problem(draw_seed: int, k: int = 6):
    rng = np.random.default_rng(draw_seed)
    d = torch.from_numpy(rng.normal(0, 2, (4, k)).astype(np.float32))
    low = torch.from_numpy(-rng.uniform(0, 1.5, (4, k)).astype(np.float32))
    high = torch.from_numpy(rng.uniform(0, 1.5, (4, k)).astype(np.float32))
    low[:, 0] = 0  # a frozen coordinate, and one stuck at its upper bound
    high[:, :2] = 0
    return d, low, high


def reference(d, low, high, norm, eps):
    """The same projection by a general solver: l1 by splitting z into positive and negative parts."""
    k = len(d)
    if norm == 2:
        constraint = {"type": "ineq", "fun": lambda z: eps**2 - z @ z, "jac": lambda z: -2 * z}
        found = minimize(
            lambda z: ((z - d) ** 2).sum(),
            np.zeros(k),
            jac=lambda z: 2 * (z - d),
            bounds=list(zip(low, high, strict=True)),
            constraints=[constraint],
            tol=1e-12,
        )
        return found.x
    split = [(0, h) for h in high] + [(0, -v) for v in low]
    constraint = {"type": "ineq", "fun": lambda w: eps - w.sum(), "jac": lambda w: -np.ones(2 * k)}
    found = minimize(
        lambda w: ((w[:k] - w[k:] - d) ** 2).sum(),
        np.zeros(2 * k),
        bounds=split,
        constraints=[constraint],
        tol=1e-12,
    )
    return found.x[:k] - found.x[k:]


@pytest.mark.parametrize(("project", "norm"), [(project_l2, 2), (project_l1, 1)])
@pytest.mark.parametrize("eps", [0.1, 0.7, 2.0, 50.0])
@pytest.mark.parametrize("seed", range(4))
def test_projection_is_the_nearest_point_that_a_general_solver_finds(project, norm, eps, seed):
    d, low, high = problem(seed)
    ours = project(d, eps, low, high).double().numpy()
    for row in range(len(d)):
        theirs = reference(
            d[row].double().numpy(), low[row].double().numpy(), high[row].double().numpy(), norm, eps
        )
        target = d[row].double().numpy()
        assert np.linalg.norm(ours[row] - target) <= np.linalg.norm(theirs - target) + 1e-4
        assert ours[row] == pytest.approx(theirs, abs=2e-3)


@given(seed=st.integers(0, 10_000), eps=st.floats(0.01, 5), order=st.sampled_from([1, 2, np.inf]))
@settings(max_examples=60, deadline=None)
def test_projection_is_feasible_and_leaves_feasible_points_alone(seed, eps, order):
    project = {1: project_l1, 2: project_l2, np.inf: project_linf}[order]
    d, low, high = problem(seed)
    z = project(d, eps, low, high)
    assert bool(((z >= low) & (z <= high)).all())
    assert float(torch.linalg.vector_norm(z.double(), order, dim=1).max()) <= eps * (1 + 1e-5)
    torch.testing.assert_close(project(z, eps, low, high), z, rtol=1e-4, atol=1e-5)


def test_l1_projection_matches_the_worked_example_of_soft_thresholding():
    # Duchi et al. 2008: (3, 1, 0.5) onto the l1 ball of radius 2 is soft-thresholded by 1: (2, 0, 0).
    free = torch.full((1, 3), 10.0)
    z = project_l1(torch.tensor([[3.0, 1.0, -0.5]]), 2.0, -free, free)
    torch.testing.assert_close(z, torch.tensor([[2.0, 0.0, 0.0]]))


def test_rescaling_is_not_what_we_do():
    free = torch.full((1, 2), 10.0)
    z = project_l1(torch.tensor([[3.0, 1.0]]), 2.0, -free, free)
    torch.testing.assert_close(z, torch.tensor([[2.0, 0.0]]))  # rescaling would give (1.5, 0.5)


@given(seed=st.integers(0, 500), k=st.integers(1, 5))
@settings(max_examples=30, deadline=None)
def test_l0_projection_beats_every_other_choice_of_features(seed, k):
    from itertools import combinations

    d, low, high = problem(seed, 5)
    z = project_l0(d, k, low, high)
    clipped = d.clamp(low, high)
    assert int((z != 0).sum(1).max()) <= k
    for row in range(len(d)):
        distances = []
        for chosen in combinations(range(5), k):
            other = torch.zeros(5)
            other[list(chosen)] = clipped[row, list(chosen)]
            distances.append(float((other - d[row]).norm()))
        assert float((z[row] - d[row]).norm()) <= min(distances) + 1e-5
