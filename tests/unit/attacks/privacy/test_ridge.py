"""Ridge regression against scikit-learn's and against what it must do with noise."""

from __future__ import annotations

import numpy as np
import pytest

from gambeson.attacks.privacy.ridge import _PENALTIES, fit_ridge

RNG = np.random.default_rng(0)


def test_a_linear_function_is_found():
    x = RNG.normal(size=(200, 3)) * [1, 10, 0.1] + 5
    fitted = fit_ridge(x, x @ [2.0, -1, 7] + 3)
    fresh = RNG.normal(size=(50, 3)) + 5
    np.testing.assert_allclose(fitted.predict(fresh), fresh @ [2.0, -1, 7] + 3, atol=0.2)


@pytest.mark.parametrize("rows", [40, 8])
def test_the_penalty_chosen_is_the_one_that_generalised_cross_validation_prefers(rows):
    from sklearn.linear_model import RidgeCV

    x, y = RNG.normal(size=(rows, 5)), RNG.normal(size=rows)
    columns = (x - x.mean(0)) / x.std(0)
    unit = max((np.linalg.svd(columns, compute_uv=False) ** 2).mean(), 1)
    theirs = RidgeCV(_PENALTIES * unit, fit_intercept=False).fit(columns, y - y.mean())
    ours = fit_ridge(x, y)
    assert np.linalg.norm(ours.weights) <= np.linalg.norm(np.linalg.lstsq(columns, y - y.mean())[0]) + 1e-9
    if rows == 40:  # leave-one-out and generalised cross-validation agree where records are many
        np.testing.assert_allclose(ours.predict(x), theirs.predict(columns) + y.mean(), atol=0.1)


def test_noise_is_not_learnt():
    x, y = RNG.normal(size=(300, 100)), RNG.normal(size=300)
    assert fit_ridge(x, y).predict(RNG.normal(size=(300, 100))).std() < 0.3


def test_constant_columns_and_no_columns_change_nothing():
    x, y = np.ones((20, 2)), np.arange(20.0)
    np.testing.assert_allclose(fit_ridge(x, y).predict(x + 4), 9.5)
    np.testing.assert_allclose(fit_ridge(np.empty((20, 0)), y).predict(np.empty((3, 0))), 9.5)
