"""A state is kept and put back bit for bit."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from gambeson.defenses.training.plan import Plan
from gambeson.defenses.training.state import begin
from gambeson.models.probing import Answer
from gambeson.models.torch_trainee import Trainee
from tests.training_world import batch, network


def stepped(state, steps: int):
    for _ in range(steps):
        state.optimizer.zero_grad()
        torch.nn.functional.cross_entropy(state.trainee(batch().x), batch().y).backward()
        state.optimizer.step()
        state.step += 1
        state.follow(0.9)
    return state


@pytest.mark.parametrize("optimizer", ["adam", "sgd"])
def test_going_back_and_forth_again_gives_the_same_bits(optimizer):
    net = network()
    state = stepped(begin(net, Plan(optimizer=optimizer).optimize(net.module), mean=True), 3)
    kept = state.copy()
    ahead = stepped(state, 2).copy()
    state.put_back(kept)
    assert state.step == 3
    again = stepped(state, 2).copy()
    assert ahead.keys() == again.keys()
    assert all(np.array_equal(ahead[name], again[name]) for name in ahead)


def test_the_mean_moves_a_tenth_of_the_way_at_first():
    net = network()
    state = begin(net, Plan().optimize(net.module), mean=True)
    before = state.mean.module[0].weight.detach().clone()
    with torch.no_grad():
        net.module[0].weight.add_(1.0)
    state.follow(0.9)  # (1 + 0) / (10 + 0) is kept of the old mean
    assert torch.allclose(state.mean.module[0].weight, before + 0.9)


def test_without_a_mean_the_network_stands_for_itself():
    net = network()
    state = begin(net, Plan().optimize(net.module), mean=False)
    state.follow(0.0)
    assert state.mean is net
    assert not any(name.startswith("mean/") for name in state.copy())


def test_batch_statistics_and_counters_belong_to_the_mean():
    net = network()
    net.module.append(torch.nn.BatchNorm1d(2))
    state = begin(net, Plan().optimize(net.module), mean=True)
    net.module.train()
    stepped(state, 2)
    assert int(state.mean.module[-1].num_batches_tracked) == 2
    assert not torch.equal(state.mean.module[-1].running_mean, torch.zeros(2))


@pytest.mark.parametrize("optimizer", ["adam", "sgd"])
def test_moments_go_back_to_the_weights_they_belong_to_whatever_the_memory_layout(optimizer):
    """Fused optimisers walk through weights and moments as they lie in memory."""

    def fresh():
        torch.manual_seed(0)
        layers = torch.nn.Conv2d(3, 4, 3), torch.nn.Flatten(), torch.nn.Linear(4, 2)
        module = torch.nn.Sequential(*layers).to(memory_format=torch.channels_last)
        net = Trainee(module, "cpu", Answer("logits", False), channels_last=True)
        return begin(net, Plan(optimizer=optimizer).optimize(module), mean=True)

    def walk(state, start: int, stop: int):
        for seed in range(start, stop):
            torch.manual_seed(seed)
            x, y = torch.randn(8, 3, 3, 3), torch.randint(2, (8,))
            state.optimizer.zero_grad()
            torch.nn.functional.cross_entropy(state.trainee(x), y).backward()
            state.optimizer.step()
            state.step += 1
            state.follow(0.9)
        return state

    whole, other = walk(fresh(), 0, 6).copy(), fresh()
    other.put_back(walk(fresh(), 0, 3).copy())
    again = walk(other, 3, 6).copy()
    assert all(np.array_equal(whole[name], again[name]) for name in whole)
