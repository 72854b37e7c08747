"""MART against its formula, written out."""

from __future__ import annotations

import torch

from gambeson.defenses.training.mart import MART
from tests.training_world import batch, linear


def test_the_loss_is_the_boosted_cross_entropy_and_the_divergence_where_in_doubt():
    net, b = linear([[2.0, -1.0], [0.5, 1.0]], [0.1, -0.2]), batch(8)
    attacked = b.x + torch.tensor([0.05, -0.05])
    with torch.no_grad():
        p, q = net(b.x).softmax(1), net(attacked).softmax(1)
        right = q.gather(1, b.y[:, None])[:, 0]
        boosted = -right.log() - right.log()  # of two classes, 1 minus the other is the right one
        weighted = (p * (p / q).log()).sum(1) * (1 - p.gather(1, b.y[:, None])[:, 0])
    expected = (boosted + 5 * weighted).mean()
    assert torch.isclose(MART(beta=5.0).loss(net, b, attacked), expected, atol=1e-3)
