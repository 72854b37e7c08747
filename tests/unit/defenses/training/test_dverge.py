"""DVERGE: who is shown what, and that members then share fewer weaknesses."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
import torch.nn.functional as F

from gambeson.core.errors import UsageError
from gambeson.defenses.training.dverge import DVERGE
from gambeson.defenses.training.loop import train
from gambeson.defenses.training.plain import Plain
from gambeson.defenses.training.plan import Plan
from gambeson.defenses.transferability import transfer_counts, transfer_success
from tests.training_world import batch, ensemble, linear, network, rows, space, task


def test_each_member_learns_from_what_the_others_mistake():
    net, b = ensemble(2), batch(4)
    attacked = torch.stack([b.x + 0.01, b.x - 0.01])
    first, second = net.members
    expected = F.cross_entropy(first(b.x - 0.01), b.y) + F.cross_entropy(second(b.x + 0.01), b.y)
    assert torch.isclose(DVERGE().loss(net, b, attacked), expected)


def test_features_come_nearer_to_those_of_another_row():
    net, b = ensemble(2), batch(32, eps=0.2)
    torch.manual_seed(0)
    others = b.x[torch.randperm(32)]
    torch.manual_seed(0)
    attacked = DVERGE().attack(net, b)[0]
    hidden = net.members[0].module[0]
    before, after = (((hidden(x) - hidden(others)) ** 2).sum() for x in (b.x, attacked))
    assert after < before / 2


def test_members_share_fewer_weaknesses_than_plain_ones():
    x, y = (torch.from_numpy(a) for a in rows(200, seed=5).take(torch.arange(200).numpy()))
    plan = Plan(epochs=8, batch=32, learning_rate=0.02, average=0.9)
    shared = []
    for recipe in (Plain(), DVERGE(steps=3)):
        trained = train(ensemble(2), task(recipe, plan=plan, eps=0.15))
        shared.append(transfer_success(*transfer_counts(trained.network.members, x, y, space(0.15))).value)
    assert shared[1] < shared[0] / 2


def test_a_single_network_is_refused_with_the_fix():
    with pytest.raises(UsageError, match="ensemble") as raised:
        DVERGE().attack(network(), batch(4))
    assert "--members" in str(raised.value)


def test_networks_without_a_hidden_layer_are_refused():
    net = ensemble(2)
    alone = linear([[1.0, 0.0], [0.0, 1.0]], [0.0, 0.0]).module
    net = replace(net, module=type(net.module)([alone, alone], net.answer))
    with pytest.raises(UsageError, match="hidden layer"):
        DVERGE().attack(net, batch(4))
