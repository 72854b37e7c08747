"""Logits behind a softmax and at a natural scale."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn.functional import cosine_similarity, cross_entropy

from gambeson.models.natural_logits import NaturalLogits
from tests import masked_models
from tests.tiny_models import TensorModel, perceptron

SHAPE = (1, 6, 6)


def x():
    return torch.rand(16, *SHAPE, generator=torch.Generator().manual_seed(1))


def view(kind, scores="logits"):
    return NaturalLogits(TensorModel(kind(perceptron().module), SHAPE, 4, scores), x())


def test_a_sharp_softmax_is_looked_behind():
    plain = perceptron().forward(x())
    seen = view(masked_models.LowTemperature, "probabilities")
    assert seen.info.scores == "logits"
    assert torch.allclose(seen.forward(x()) / seen.forward(x()).std(), plain / plain.std(), atol=1e-4)
    assert seen.scores(x().numpy()).argmax(1).tolist() == plain.argmax(1).tolist()


def test_huge_logits_give_a_cross_entropy_with_a_gradient():
    model = TensorModel(masked_models.Saturated(perceptron().module), SHAPE, 4)
    y = model.forward(x()).argmax(1)

    def slope(of):
        leaf = x().requires_grad_(True)
        return torch.autograd.grad(cross_entropy(of.forward(leaf), y), leaf)[0]

    assert (slope(model).flatten(1).abs().amax(1) < 1e-12).float().mean() > 0.8
    seen, honest = slope(NaturalLogits(model, x())), slope(perceptron())
    assert (seen.flatten(1).abs().amax(1) > 1e-5).float().mean() > 0.8
    assert float(cosine_similarity(seen.flatten(), honest.flatten(), 0)) > 0.5


def test_natural_logits_are_left_alone():
    small = nn.Sequential(nn.Flatten(), nn.Linear(36, 4))
    model = TensorModel(small, SHAPE, 4)
    assert torch.equal(NaturalLogits(model, x()).forward(x()), model.forward(x()))


def test_probabilities_without_a_softmax_stay_probabilities():
    class Shares(masked_models.Around):
        def forward(self, x):
            return self.net(x).exp() / self.net(x).exp().sum(1, keepdim=True)

    seen = view(Shares, "probabilities")
    assert seen.info.scores == "probabilities"
    assert torch.allclose(seen.forward(x()).sum(1), torch.ones(16), atol=1e-5)
