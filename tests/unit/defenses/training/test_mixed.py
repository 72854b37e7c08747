"""Several norms: each is met, within a radius of its own, and all grow with the declared one."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F

from gambeson.core.errors import UsageError
from gambeson.defenses.training.mixed import Mixed
from tests.training_world import batch, linear

NET = linear([[-1.0, -0.5], [1.0, 0.5]], [0.7, -0.7])


@pytest.mark.parametrize("eps", [0.05, 0.1])
def test_a_batch_is_attacked_under_the_declared_norm_or_the_other(eps):
    b, sizes = batch(8, eps), []
    for seed in range(12):
        torch.manual_seed(seed)
        delta = Mixed(l2=1.2, steps=5).attack(NET, b) - b.x
        sizes.append((float(delta.abs().amax()), float(delta.norm(dim=1).amax())))
    linf = [largest for largest, length in sizes if length > 1.2 * eps + 1e-6]
    l2 = [largest for largest, length in sizes if length <= 1.2 * eps + 1e-6]
    assert linf
    assert l2
    assert max(linf) <= eps + 1e-6
    assert max(l2) > eps  # along the gradient further than the cube reaches


def test_the_loss_is_the_cross_entropy_of_the_attacked_rows():
    b = batch(8)
    assert torch.isclose(Mixed(l1=2.0).loss(NET, b, b.x + 0.1), F.cross_entropy(NET(b.x + 0.1), b.y))


@pytest.mark.parametrize("wrong", [{"l2": 0.0}, {"l2": -1.0}, {"l2": 2.0, "l1": -0.1}])
def test_without_a_second_norm_it_is_refused(wrong):
    with pytest.raises(UsageError):
        Mixed(**wrong)
