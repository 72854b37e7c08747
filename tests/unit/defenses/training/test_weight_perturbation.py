"""Weights move against the loss, by the length asked for, and come back."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F

from gambeson.defenses.training.weight_perturbation import perturbed
from tests.training_world import batch, network


def test_inside_the_loss_is_larger_and_afterwards_the_weights_are_the_same():
    net, b = network(), batch(32)
    before = [p.detach().clone() for p in net.module.parameters()]
    loss = F.cross_entropy(net(b.x), b.y)
    with perturbed(net.module, loss, 0.05):
        moved = [
            (p - old).norm() / old.norm() for p, old in zip(net.module.parameters(), before, strict=True)
        ]
        assert F.cross_entropy(net(b.x), b.y) > loss
    assert [round(m.item(), 4) for m in moved] == [0.05, 0.0, 0.05, 0.0]
    assert all(torch.equal(p, old) for p, old in zip(net.module.parameters(), before, strict=True))


def test_weights_come_back_after_an_error():
    net, b = network(), batch(8)
    before = net.module[0].weight.detach().clone()
    with pytest.raises(RuntimeError), perturbed(net.module, F.cross_entropy(net(b.x), b.y), 0.05):
        raise RuntimeError
    assert torch.equal(net.module[0].weight, before)
