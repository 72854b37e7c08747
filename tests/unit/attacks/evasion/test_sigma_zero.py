"""sigma-zero on a model whose boundary is known."""

from __future__ import annotations

import numpy as np

from gambeson.core.threat import Norm
from tests.linear_world import WEIGHTS, attack, samples


def fewest() -> np.ndarray:
    """Fewest features that reach the boundary when each may move to an end of its range."""
    x, y = samples().x.flatten(1), samples().y
    toward = (1 - 2 * y.float())[:, None] * WEIGHTS.sign()
    room = (toward > 0).float() * (1 - x) + (toward < 0).float() * x
    gain = (room * WEIGHTS.abs()).sort(1, descending=True).values.cumsum(1)
    away = ((x - 0.5) @ WEIGHTS).abs()
    return (gain <= away[:, None]).sum(1).numpy() + 1


def test_on_a_linear_model_it_changes_the_fewest_features():
    found = attack("sigma_zero", Norm.L0, steps=200)
    assert found.distance.tolist() == fewest().tolist()
