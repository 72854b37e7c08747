"""TRADES against its formula, written out."""

from __future__ import annotations

import torch

from gambeson.defenses.training.trades import TRADES
from tests.training_world import batch, linear


def test_the_loss_is_cross_entropy_plus_beta_times_the_divergence():
    net, b = linear([[2.0, -1.0], [0.5, 1.0]], [0.1, -0.2]), batch(8)
    attacked = b.x + torch.tensor([0.05, -0.05])
    with torch.no_grad():
        p, q = net(b.x).softmax(1), net(attacked).softmax(1)
        clean = -p.gather(1, b.y[:, None]).log().mean()
        apart = (p * (p / q).log()).sum(1).mean()
    assert torch.isclose(TRADES(beta=4.0).loss(net, b, attacked), clean + 4 * apart, atol=1e-6)


def test_without_weight_it_is_plain_training():
    net, b = linear([[2.0, -1.0], [0.5, 1.0]], [0.1, -0.2]), batch(8)
    alone = torch.nn.functional.cross_entropy(net(b.x), b.y)
    assert torch.isclose(TRADES(beta=0.0).loss(net, b, b.x + 0.1), alone)
