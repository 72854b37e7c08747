"""A network in training."""

from __future__ import annotations

import torch
from torch import nn

from gambeson.models.probing import Answer
from gambeson.models.torch_ensemble import Ensemble
from gambeson.models.torch_trainee import Trainee


def trainee() -> Trainee:
    torch.manual_seed(0)
    return Trainee(nn.Linear(4, 3), "cpu", Answer("logits", False))


def test_a_twin_no_longer_follows():
    one = trainee()
    other = one.twin()
    with torch.no_grad():
        one.module.weight.zero_()
    assert other.module.weight.abs().sum() > 0


def test_weights_are_copies_without_graph():
    net = trainee()
    kept = net.weights()
    with torch.no_grad():
        net.module.weight.zero_()
    assert kept["weight"].abs().sum() > 0
    assert not kept["weight"].requires_grad


def test_in_half_it_answers_in_float32_and_keeps_float32_weights():
    net, x = trainee().in_half(True), torch.rand(5, 4)
    answer = net(x)
    assert answer.dtype == torch.float32
    assert net.module.weight.dtype == torch.float32
    assert not torch.equal(answer, net.in_half(False)(x))
    assert torch.allclose(answer, net.in_half(False)(x), atol=0.05)


def test_one_column_is_widened():
    net = Trainee(nn.Linear(4, 1), "cpu", Answer("logits", True))
    assert net(torch.rand(5, 4)).shape == (5, 2)


def test_a_network_is_its_own_only_member_and_an_ensemble_has_several():
    net = trainee()
    assert net.members == (net,)
    pair = Trainee(Ensemble([nn.Linear(4, 3), nn.Linear(4, 3)], net.answer), "cpu", net.answer)
    x = torch.rand(5, 4)
    mean = sum(member(x).softmax(1) for member in pair.members) / 2
    assert torch.allclose(pair(x).softmax(1), mean, atol=1e-6)
