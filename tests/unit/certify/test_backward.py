"""Linear bounds against hand-computed ones, sampled points and exact answers."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from gambeson.certify.backward import interval_bound, lower_bound, relax
from gambeson.certify.intervals import Box, propagate
from gambeson.core.threat import Norm
from tests.unit.certify.nets import perceptron, randomised, read, region
from tests.unit.certify.test_intervals import two_layers


def test_lines_around_a_rectifier():
    box = Box(torch.tensor([-1.0, -2.0, 1.0, -3.0]).double(), torch.tensor([2.0, 1.0, 3.0, -1.0]).double())
    lower, upper, offset = relax(box)
    assert lower.tolist() == [1, 0, 1, 0]
    assert upper.tolist() == pytest.approx([2 / 3, 1 / 3, 1, 0])
    assert offset.tolist() == pytest.approx([2 / 3, 2 / 3, 0, 0])


def test_the_bound_of_two_layers_is_the_one_computed_by_hand():
    # z1 = h1 - h2, h1 = x1 + x2 (always on), h2 <= (x1 - x2) / 2 + 1/4: z1 >= x1/2 + 3 x2/2 - 1/4 >= 1/4
    network = read(two_layers(), (2,), 2)
    around = region(torch.tensor([[0.5, 0.5]]), Norm.LINF, 0.25)
    a = torch.tensor([[[1.0, 0.0]]], dtype=torch.float64)
    boxes = propagate(network, around)
    last = len(network.nodes) - 1
    assert float(lower_bound(network, last, a, boxes, around)) == pytest.approx(0.25, abs=1e-5)
    assert float(interval_bound(network, last, a, boxes, around)) == pytest.approx(0.0, abs=1e-5)


def test_a_linear_network_is_bounded_exactly():
    module = randomised(nn.Sequential(nn.Linear(5, 4), nn.Linear(4, 3)), 0)
    network = read(module, (5,), 3)
    x = torch.full((1, 5), 0.5)
    around = region(x, Norm.LINF, 0.1)
    weight = (module[1].weight @ module[0].weight).double()
    centre = module(x).double()
    a = torch.eye(3, dtype=torch.float64)[None]
    found = lower_bound(network, len(network.nodes) - 1, a, propagate(network, around), around)
    assert torch.allclose(found[0], (centre - 0.1 * weight.abs().sum(1))[0], atol=1e-5)


def test_one_row_for_all_samples_is_the_same_as_one_for_each():
    network = perceptron()
    x = torch.rand(4, 6, generator=torch.Generator().manual_seed(0))
    around = region(x)
    boxes, last = propagate(network, around), len(network.nodes) - 1
    a = torch.eye(3, dtype=torch.float64)[None]
    alone = lower_bound(network, last, a.expand(4, -1, -1), boxes, around)
    assert torch.allclose(lower_bound(network, last, a, boxes, around), alone, atol=1e-12)


def test_any_slope_between_0_and_1_gives_a_valid_bound():
    network = perceptron(5)
    x = torch.rand(3, 6, generator=torch.Generator().manual_seed(5))
    around = region(x, Norm.LINF, 0.2)
    boxes, last = propagate(network, around), len(network.nodes) - 1
    a = torch.eye(3, dtype=torch.float64)[None].expand(3, -1, -1)
    slopes = {i: torch.rand(3, 3, 12, dtype=torch.float64) for i in (2, 4)}
    bound = lower_bound(network, last, a, boxes, around, slopes)
    assert (bound <= network(x) + 1e-9).all()
