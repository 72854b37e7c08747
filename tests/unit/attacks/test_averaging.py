"""A randomised model as its mean answer."""

from __future__ import annotations

import numpy as np
import torch
from torch import nn

from gambeson.attacks.averaging import Averaged, average
from gambeson.core.reproduce import Seed
from gambeson.models.model import Differentiable
from tests import masked_models
from tests.tiny_models import ScoreModel, TensorModel


class Alternating(nn.Module):
    """Answers x and 3 x in turn."""

    def __init__(self):
        super().__init__()
        self.turn = 0

    def forward(self, x):
        self.turn += 1
        return x * (1 if self.turn % 2 else 3)


def test_answers_and_gradients_are_means():
    model = average(TensorModel(Alternating(), (2,), 2), 4, Seed(0))
    assert isinstance(model, Averaged)
    x = torch.tensor([[1.0, 2.0]], requires_grad=True)
    answer = model.forward(x)
    assert answer.tolist() == [[2.0, 4.0]]
    assert torch.autograd.grad(answer.sum(), x)[0].tolist() == [[2.0, 2.0]]
    assert model.scores(np.array([[1.0, 2.0]], np.float32)).tolist() == [[2.0, 4.0]]
    assert (model.info.classes, model.device) == (2, "cpu")


def test_a_model_without_gradients_stays_one():
    model = average(ScoreModel(lambda x: x + 1, (2,), 2), 3, Seed(0))
    assert not isinstance(model, Differentiable)
    assert model.scores(np.zeros((1, 2), np.float32)).tolist() == [[1.0, 1.0]]


def test_same_seed_same_draws_and_every_answer_takes_new_ones():
    noisy = TensorModel(masked_models.Noisy(nn.Identity()), (2,), 2)
    one, other = (average(noisy, 2, Seed(5)) for _ in range(2))
    x = torch.ones(3, 2)
    first, second = one.forward(x), one.forward(x)
    assert torch.equal(first, other.forward(x))
    assert not torch.equal(first, second)


def test_the_callers_random_numbers_do_not_notice():
    noisy = TensorModel(masked_models.Noisy(nn.Identity()), (2,), 2)
    torch.manual_seed(1)
    expected = torch.rand(3)
    torch.manual_seed(1)
    average(noisy, 2, Seed(5)).forward(torch.ones(3, 2))
    assert torch.equal(torch.rand(3), expected)
