"""Plain training attacks nothing."""

from __future__ import annotations

import torch
import torch.nn.functional as F

from gambeson.defenses.training.plain import Plain
from tests.training_world import batch, linear


def test_the_rows_stay_and_the_loss_is_theirs():
    net, b = linear([[1.0, 0.0], [0.0, 1.0]], [0.0, 0.0]), batch(8)
    assert Plain().attack(net, b) is b.x
    assert torch.isclose(Plain().loss(net, b, b.x), F.cross_entropy(b.x, b.y))
