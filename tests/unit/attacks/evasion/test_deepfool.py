"""DeepFool on models whose boundary is known."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from gambeson.attacks.base import evasion
from gambeson.attacks.harness import Run, Samples, run_attack
from gambeson.core.reproduce import Seed
from gambeson.core.threat import Norm
from gambeson.models.passes import Passes
from tests.linear_world import SHAPE, excess, model, space


@pytest.mark.parametrize(("norm", "most"), [(Norm.LINF, 0.025), (Norm.L2, 0.025)])
def test_on_a_linear_model_it_finds_the_nearest_point(norm, most):
    assert excess("deepfool", norm) < most


class Cubed(nn.Module):
    """Class 1 where the sum of the pixels, counted from 0.5, is above 2; nearly flat around its middle."""

    def forward(self, x):
        cube = (x - 0.5).flatten(1).sum(1) ** 3 - 8
        return torch.stack([torch.zeros_like(cube), cube], 1)


@pytest.mark.parametrize(("norm", "exact"), [(Norm.LINF, 0.105), (Norm.L2, 0.42)])
def test_where_a_whole_step_shoots_far_over_the_boundary_the_second_walk_finds_it(norm, exact):
    cubed = model()
    cubed.module = Cubed()
    samples = Samples(torch.full((2, *SHAPE), 0.52), torch.zeros(2, dtype=torch.int64), np.arange(2))
    entry = evasion["deepfool"]
    found = run_attack(
        entry.plugin(), entry.facts, Passes(cubed), samples, space(norm, float("inf")), run=Run(Seed(0))
    )
    assert (found.distance / exact - 1 < 0.025).all()
