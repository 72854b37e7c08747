"""Every layer that certificates know gives what PyTorch gives, and its magnitudes are right."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from gambeson.certify.intervals import propagate
from gambeson.certify.network import Affine
from gambeson.core.errors import Unavailable
from gambeson.core.threat import Norm
from tests.unit.certify.nets import members, randomised, read, region


class Calls(nn.Module):
    """A module that is one function."""

    def __init__(self, function) -> None:
        super().__init__()
        self.function = function
        self.weight = nn.Parameter(torch.linspace(-1, 1, 8).reshape(2, 4))
        self.register_buffer("mean", torch.tensor([0.2, -0.4]).reshape(1, 2, 1, 1))

    def forward(self, x):
        return self.function(self, x)


SHAPE = (2, 4, 4)
CASES = {
    "linear": nn.Sequential(nn.Flatten(), nn.Linear(32, 3)),
    "linear without bias": nn.Sequential(nn.Flatten(), nn.Linear(32, 3, bias=False)),
    "linear along the last axis": nn.Linear(4, 3),
    "conv2d": nn.Conv2d(2, 3, 3, stride=2, padding=1),
    "grouped, dilated conv2d": nn.Conv2d(2, 4, 2, groups=2, dilation=2),
    "conv1d": Calls(lambda m, x: F.conv1d(x.flatten(2), m.weight.reshape(2, 2, 2), stride=3)),
    "batch norm": nn.BatchNorm2d(2),
    "plain batch norm": nn.BatchNorm2d(2, affine=False),
    "relu in place": nn.Sequential(nn.Conv2d(2, 2, 1), nn.ReLU(inplace=True)),
    "leaky relu": nn.LeakyReLU(0.2),
    "hardtanh": nn.Hardtanh(-0.1, 0.4),
    "relu6": nn.Sequential(nn.Conv2d(2, 2, 1), nn.ReLU6()),
    "clamp": Calls(lambda m, x: (3 * x - 1).clamp(0, 1)),
    "clamp at one end": Calls(lambda m, x: (x - 0.5).clamp(min=0.1)),
    "normalisation": Calls(lambda m, x: (x - m.mean) / torch.tensor([0.5, 2.0]).reshape(2, 1, 1)),
    "reversed": Calls(lambda m, x: 1 - x),
    "constant minus": Calls(lambda m, x: m.mean - 2 * x),
    "shortcut": Calls(lambda m, x: x + F.relu(x - 0.5)),
    "difference": Calls(lambda m, x: torch.sub(x, F.relu(x - 0.5), alpha=2)),
    "negative": Calls(lambda m, x: -x),
    "matmul": Calls(lambda m, x: x.flatten(2).mean(2) @ m.weight),
    "addmm": Calls(lambda m, x: torch.addmm(m.weight[0], x.mean((2, 3)), m.weight)),
    "mean": Calls(lambda m, x: x.mean((2, 3), keepdim=True)),
    "average pool": nn.AvgPool2d(2),
    "padded average pool": nn.AvgPool2d(3, stride=2, padding=1),
    "global pool": nn.AdaptiveAvgPool2d(1),
    "max pool": nn.MaxPool2d(2),
    "overlapping max pool": nn.MaxPool2d(3, stride=1),
    "pad": Calls(lambda m, x: F.pad(x, (1, 0, 0, 2))),
    "slice": Calls(lambda m, x: x[:, :, ::2, 1:]),
    "permute": Calls(lambda m, x: x.permute(0, 2, 3, 1)),
    "view": Calls(lambda m, x: x.view(x.shape[0], -1)),
    "dropout": nn.Dropout(),
    "detach": Calls(lambda m, x: x.detach().clone()),
}  # fmt: skip


def network_of(module: nn.Module):
    """The module with a flat end of 2 classes, read."""
    module = randomised(module, 0) if not isinstance(module, Calls) else module.eval()
    with torch.no_grad():
        size = module(torch.zeros(2, *SHAPE)).flatten(1).shape[1]
    whole = nn.Sequential(module, nn.Flatten(), randomised(nn.Linear(size, 2), 1)).eval()
    return whole, read(whole, SHAPE, 2)


@pytest.mark.parametrize("name", CASES)
def test_a_layer_answers_as_in_pytorch_and_intervals_enclose_it(name):
    whole, network = network_of(CASES[name])
    x = torch.rand(3, *SHAPE, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        assert torch.allclose(network(x).float(), whole(x), atol=1e-5)
    box = propagate(network, region(x, Norm.LINF, 0.2))[-1]
    for point in members(x.double(), Norm.LINF, 0.2, 25):
        z = network(point)
        assert ((box.low - 1e-9 <= z) & (z <= box.high + 1e-9)).all()


@pytest.mark.parametrize("name", CASES)
def test_a_layer_s_transpose_and_magnitude_fit_its_map(name):
    for node in (nodes := network_of(CASES[name])[1].nodes):
        for part, source in zip(
            node.op.maps if isinstance(node.op, Affine) else (), node.inputs, strict=False
        ):
            shape = nodes[source].shape
            unit = torch.eye(nodes[source].size, dtype=torch.float64).reshape(-1, *shape)
            matrix = part.apply(unit).flatten(1)
            a = torch.randn(2, *node.shape, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
            assert torch.allclose(part.transpose(a, shape).flatten(1), a.flatten(1) @ matrix.T)
            assert torch.allclose(part.spread(unit).flatten(1), matrix.abs())


@pytest.mark.parametrize(
    ("function", "said"),
    [
        (lambda m, x: torch.tanh(x), "does not know tanh"),
        (lambda m, x: x * x, "two values that both depend on the input"),
        (lambda m, x: x @ x, "two values that both depend on the input"),
        (lambda m, x: x.mean(0, keepdim=True).expand(3, -1, -1, -1), "mixes the rows of a batch"),
        (lambda m, x: x + torch.randn(2, 4, 4), "draws at random"),
        (lambda m, x: F.pad(x, (1, 1), value=1.0), "anything but zeros"),
        (lambda m, x: F.max_pool2d(x, 2, padding=1), "max pooling with padding"),
        (lambda m, x: x.transpose(0, 1).permute(1, 0, 2, 3), "transpose"),
        (lambda m, x: x.to(torch.bfloat16).float(), "arithmetic in torch.bfloat16"),
        (lambda m, x: x if x.sum() > 0 else -x, "cannot write this network down"),
    ],
)
def test_what_is_not_known_is_named(function, said):
    with pytest.raises(Unavailable, match=said):
        network_of(Calls(function))
