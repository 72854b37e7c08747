"""Counts on a linear network, where distances to the boundary are known."""

from __future__ import annotations

import torch
from torch import nn

from gambeson.defenses.training.adversary import Adversary
from gambeson.defenses.training.standing import Standing, look
from gambeson.models.probing import Answer
from gambeson.models.torch_trainee import Trainee
from tests.training_world import linear, space

X = torch.tensor([[0.1, 0.5], [0.45, 0.5], [0.55, 0.5], [0.9, 0.5], [0.2, 0.5]])
Y = torch.tensor([0, 0, 1, 1, 1])
"""Distances to the boundary at 0.5: 0.4, 0.05, 0.05, 0.4; the last row is wrong."""


def by_first_feature(scale: float = 1.0) -> Trainee:
    return linear([[-scale, 0.0], [scale, 0.0]], [scale / 2, -scale / 2])


def test_rows_nearer_than_eps_fall():
    assert look(by_first_feature(), X, Y, space(0.1), Adversary()) == Standing(5, 4, 2, 0)


def test_where_the_gradient_is_zero_pgd_is_blind():
    seen = look(by_first_feature(1e5), X, Y, space(0.01), Adversary())
    assert seen.flat == seen.stand == 4
    assert seen.masked


def test_the_network_stays_in_its_mode_and_dropout_does_not_count():
    net = Trainee(nn.Sequential(nn.Linear(2, 2), nn.Dropout(0.9)), "cpu", Answer("logits", False))
    net.module.train()
    first, second = (look(net, X, Y, space(0.1), Adversary(start=0.0)) for _ in range(2))
    assert first == second
    assert net.module.training
