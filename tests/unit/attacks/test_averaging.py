"""A randomised model as its mean answer."""

from __future__ import annotations

import numpy as np
import torch
from torch import nn

from gambeson.attacks.averaging import Averaged
from tests.tiny_models import TensorModel


class Alternating(nn.Module):
    """Answers x and 3 x in turn."""

    def __init__(self):
        super().__init__()
        self.turn = 0

    def forward(self, x):
        self.turn += 1
        return x * (1 if self.turn % 2 else 3)


def test_answers_and_gradients_are_means():
    model = Averaged(TensorModel(Alternating(), (2,), 2), 4)
    x = torch.tensor([[1.0, 2.0]], requires_grad=True)
    answer = model.forward(x)
    assert answer.tolist() == [[2.0, 4.0]]
    assert torch.autograd.grad(answer.sum(), x)[0].tolist() == [[2.0, 2.0]]
    assert model.scores(np.array([[1.0, 2.0]], np.float32)).tolist() == [[2.0, 4.0]]
    assert (model.info.classes, model.device) == (2, "cpu")
