"""Gradients without NaN and infinity."""

from __future__ import annotations

import torch
from torch import nn

from gambeson.models.finite_gradient import FiniteGradient
from tests.tiny_models import TensorModel


class Odd(nn.Module):
    """Slopes 1/(2 sqrt(x)) and NaN at 0 in the second column."""

    def forward(self, x):
        return torch.stack([x[:, 0].sqrt(), (x[:, 1].sqrt() * 0)], 1) + 0 * x


def test_infinity_becomes_the_largest_and_nan_zero():
    model = FiniteGradient(TensorModel(Odd(), (2,), 2))
    x = torch.tensor([[4.0, 0.0], [0.0, 1.0], [0.25, 1.0]], requires_grad=True)
    found = torch.autograd.grad(model.forward(x).sum(), x)[0]
    assert found[0].tolist() == [0.25, 0.0]
    assert bool(found.isfinite().all())
    assert found[2].tolist() == [1.0, 0.0]


def test_the_answer_is_that_of_the_model():
    plain = TensorModel(Odd(), (2,), 2)
    x = torch.tensor([[4.0, 1.0]])
    assert torch.equal(FiniteGradient(plain).forward(x), plain.forward(x))
    assert FiniteGradient(plain).scores(x.numpy()).tolist() == [[2.0, 0.0]]
    assert (FiniteGradient(plain).info.classes, FiniteGradient(plain).device) == (2, "cpu")
