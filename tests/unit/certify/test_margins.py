"""Margin bounds: sound, ordered by method, exact where the network is linear."""

from __future__ import annotations

import itertools

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from gambeson.certify.margins import Method, cost, margin_bounds, tightened
from gambeson.core.threat import Norm
from tests.unit.certify.nets import members, perceptron, randomised, read, region

NORMS = (Norm.LINF, Norm.L2, Norm.L1)


def bound(network, around, y, method):
    with torch.no_grad():
        return margin_bounds(network, around, y, method)


def margins(network, x, y):
    z = network(x)
    others = torch.ones_like(z, dtype=torch.bool).scatter(1, y[:, None], False)
    return z.gather(1, y[:, None]) - z[others].reshape(len(z), -1)


@settings(max_examples=25)
@given(
    st.integers(0, 10_000),
    st.sampled_from([1, 12]),
    st.floats(0.001, 0.4),
    st.sampled_from(NORMS),
    st.sampled_from(list(Method)),
)
def test_no_point_of_the_region_is_below_the_bound(seed, width, eps, norm, method):
    network = perceptron(seed, width)
    x = torch.rand(2, 6, generator=torch.Generator().manual_seed(seed))
    y = network(x).argmax(1)
    least = bound(network, region(x, norm, eps), y, method)
    for point in members(x.double(), norm, eps, 30, seed):
        assert (margins(network, point, y) >= least).all()


@settings(max_examples=15)
@given(st.integers(0, 10_000), st.floats(0.01, 0.3), st.sampled_from(NORMS))
def test_a_dearer_method_is_never_looser(seed, eps, norm):
    network = perceptron(seed)
    x = torch.rand(3, 6, generator=torch.Generator().manual_seed(seed))
    y, around = network(x).argmax(1), region(x, norm, eps)
    found = [bound(network, around, y, method) for method in Method]
    for cheap, dear in itertools.pairwise(found):
        assert (dear >= cheap - 1e-5).all()


def test_linear_bounds_prove_more_than_intervals():
    network = perceptron(8)
    x = torch.rand(40, 6, generator=torch.Generator().manual_seed(0))
    y, around = network(x).argmax(1), region(x, Norm.LINF, 0.2)
    proved = [int((bound(network, around, y, method) > 0).all(1).sum()) for method in Method]
    assert proved == sorted(proved)
    assert proved[0] < proved[2]


@pytest.mark.parametrize("norm", NORMS)
def test_a_linear_classifier_is_certified_up_to_its_distance(norm):
    module = nn.Linear(2, 2)
    module.weight.data, module.bias.data = torch.tensor([[3.0, 4.0], [0.0, 0.0]]), torch.tensor([-3.0, 0.0])
    network = read(module, (2,), 2)
    x, y = torch.tensor([[0.5, 0.5]]), torch.tensor([0])
    distance = 0.5 / {Norm.LINF: 7.0, Norm.L2: 5.0, Norm.L1: 4.0}[norm]
    for method in Method:
        assert (bound(network, region(x, norm, distance * 0.999), y, method) > 0).all()
        assert (bound(network, region(x, norm, distance * 1.001), y, method) < 0).all()


def test_tightened_bounds_hold_every_sampled_value():
    module = nn.Sequential(
        nn.Conv2d(1, 4, 3, padding=1), nn.ReLU(), nn.Conv2d(4, 4, 3, stride=2), nn.ReLU(), nn.Flatten(),
        nn.Linear(16, 3),
    )  # fmt: skip
    network = read(randomised(module, 2), (1, 6, 6), 3)
    x = torch.rand(2, 1, 6, 6, generator=torch.Generator().manual_seed(0))
    box = tightened(network, region(x, Norm.L2, 0.5))[3]
    for point in members(x.double(), Norm.L2, 0.5, 100):
        values = torch.nn.functional.conv2d(
            torch.nn.functional.conv2d(point, module[0].weight.double(), module[0].bias.double(), padding=1).relu(),
            module[2].weight.double(), module[2].bias.double(), stride=2,
        )  # fmt: skip
        assert ((values >= box.low - 1e-9) & (values <= box.high + 1e-9)).all()


def test_methods_cost_more_in_their_order():
    costs = [cost(perceptron(), method) for method in Method]
    assert costs == sorted(costs)
    assert costs[0] < costs[-1]
