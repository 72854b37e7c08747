"""Interval bounds against hand-computed ones and against sampled points."""

from __future__ import annotations

import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from gambeson.certify.intervals import Box, propagate, rounding
from gambeson.core.threat import Norm
from tests.unit.certify.nets import members, model_of, perceptron, randomised, read, region


def two_layers() -> nn.Module:
    """h = relu([x1 + x2, x1 - x2]), z = [h1 - h2, h2]."""
    net = nn.Sequential(nn.Linear(2, 2), nn.ReLU(), nn.Linear(2, 2))
    net[0].weight.data = torch.tensor([[1.0, 1.0], [1.0, -1.0]])
    net[2].weight.data = torch.tensor([[1.0, -1.0], [0.0, 1.0]])
    net[0].bias.data = net[2].bias.data = torch.zeros(2)
    return net


def test_the_bounds_of_two_layers_are_those_computed_by_hand():
    boxes = propagate(read(two_layers(), (2,), 2), region(torch.tensor([[0.5, 0.5]]), Norm.LINF, 0.25))
    hidden, scores = boxes[1], boxes[-1]
    near = {"atol": 1e-5, "rtol": 0}
    assert torch.allclose(hidden.low, torch.tensor([[0.5, -0.5]]).double(), **near)
    assert torch.allclose(hidden.high, torch.tensor([[1.5, 0.5]]).double(), **near)
    assert torch.allclose(scores.low, torch.tensor([[0.0, 0.0]]).double(), **near)
    assert torch.allclose(scores.high, torch.tensor([[1.5, 0.5]]).double(), **near)


@given(st.integers(0, 10_000), st.floats(0.001, 0.5))
def test_every_value_at_every_point_is_inside(seed, eps):
    network = perceptron(seed)
    x = torch.rand(2, 6, generator=torch.Generator().manual_seed(seed))
    box = propagate(network, region(x, Norm.LINF, eps))[-1]
    for point in members(x.double(), Norm.LINF, eps, 20, seed):
        z = network(point)
        assert ((box.low - 1e-9 <= z) & (z <= box.high + 1e-9)).all()


def test_meeting_bounds_are_the_narrower_ends():
    box = Box(torch.tensor([0.0, -1.0]), torch.tensor([2.0, 1.0])).meet(
        Box(torch.tensor([-1.0, 0.5]), torch.tensor([1.0, 3.0]))
    )
    assert box.low.tolist() == [0.0, 0.5]
    assert box.high.tolist() == [1.0, 1.0]


def test_float32_errs_by_less_than_the_allowance():
    module = randomised(
        nn.Sequential(
            nn.Conv2d(2, 8, 3), nn.BatchNorm2d(8), nn.ReLU(), nn.Flatten(), nn.Linear(288, 200), nn.ReLU(),
            nn.Linear(200, 5),
        ),
        seed=3,
        scale=5.0,
    )  # fmt: skip
    network = read(module, (2, 8, 8), 5)
    x = torch.rand(64, 2, 8, 8, generator=torch.Generator().manual_seed(0))
    allowance = rounding(network, propagate(network, region(x, Norm.LINF, 1e-6)))
    exact = network(x)
    off = (torch.from_numpy(model_of(module, (2, 8, 8), 5).scores(x.numpy())).double() - exact).abs()
    assert (off <= allowance).all()
    assert float(off.max()) > 0
    assert float(allowance.max()) < 1e-2 * float(exact.abs().max())
