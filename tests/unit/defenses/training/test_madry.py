"""PGD training by hand on a linear network."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F

from gambeson.defenses.training.madry import PGDTraining, fast
from tests.training_world import batch, linear


def test_the_loss_is_the_cross_entropy_of_the_attacked_rows():
    net, b = linear([[1.0, 0.0], [0.0, 1.0]], [0.0, 0.0]), batch(8)
    attacked = b.x + 0.01
    assert torch.isclose(PGDTraining().loss(net, b, attacked), F.cross_entropy(attacked, b.y))


def test_against_a_linear_network_it_finds_the_worst_corner():
    net, b = linear([[-1.0, 0.0], [1.0, 0.0]], [0.5, -0.5]), batch(8, eps=0.1)
    found = PGDTraining(steps=3).attack(net, b)
    towards = torch.where(b.y == 1, -0.1, 0.1)
    assert torch.allclose(found[:, 0], b.x[:, 0] + towards, atol=1e-6)


def test_smoothed_labels_never_let_the_loss_vanish():
    net, b = linear([[-1000.0, 0.0], [1000.0, 0.0]], [500.0, -500.0]), batch(8)
    with torch.no_grad():
        assert PGDTraining().loss(net, b, b.x) == 0
        assert PGDTraining(smoothing=0.1).loss(net, b, b.x) > math.log(2)


def test_fast_is_one_step():
    assert fast(reach=1.5) == PGDTraining(1, 1.5)
