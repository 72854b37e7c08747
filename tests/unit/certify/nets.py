"""Networks and models that the tests of certificates share."""

from __future__ import annotations

import itertools
import math
from types import SimpleNamespace

import torch
from torch import nn

from gambeson.attacks.geometry import PerturbationSet
from gambeson.certify.layers import LAYERS, Value
from gambeson.certify.network import Builder, Network
from gambeson.certify.reading import read_network
from gambeson.certify.region import Region
from gambeson.core.threat import Norm
from tests.tiny_models import TensorModel


def model_of(module: nn.Module, shape: tuple[int, ...], classes: int, scores: str = "logits") -> TensorModel:
    """A model that shows its module, as those do that are opened from a file."""
    model = TensorModel(module, shape, classes, scores)
    model.network = SimpleNamespace(module=model.module, batch=None)
    return model


def read(module: nn.Module, shape: tuple[int, ...], classes: int, scores: str = "logits") -> Network:
    """The network of a module."""
    return read_network(model_of(module, shape, classes, scores))


def randomised(module: nn.Module, seed: int, scale: float = 1.0) -> nn.Module:
    """The module with random weights and statistics."""
    generator = torch.Generator().manual_seed(seed)
    for name, value in [*module.named_parameters(), *module.named_buffers()]:
        if value.is_floating_point():
            drawn = torch.randn(value.shape, generator=generator)
            fan = math.prod(value.shape[1:]) if value.dim() > 1 else 1
            value.data = drawn.abs() + 0.5 if "var" in name else scale * drawn / fan**0.5
    return module.eval()


def perceptron(seed: int = 0, width: int = 12) -> Network:
    """Six inputs, two hidden layers, three classes, built without a module (tracing one takes a while)."""
    generator, builder = torch.Generator().manual_seed(seed), Builder((6,))
    at, sizes = 0, (6, width, width, 3)
    for before, after in itertools.pairwise(sizes):
        at = builder.rectify(at) if at else at
        weight, bias = (torch.randn(*s, generator=generator).double() for s in ((after, before), (after,)))
        given = {"input": Value(at), "weight": weight / before**0.5, "bias": bias}
        at = LAYERS["linear"](builder, given, (after,))
    return Network(tuple(builder.nodes))


def cube(shape: tuple[int, ...], norm: Norm, eps: float) -> PerturbationSet:
    """Inputs in [0, 1]."""
    low = torch.zeros(shape)
    none = torch.zeros(shape, dtype=torch.bool)
    return PerturbationSet(norm, eps, low, low + 1, low + 1, none, none)


def region(x: torch.Tensor, norm: Norm = Norm.LINF, eps: float = 0.1) -> Region:
    """The region around rows of [0, 1]."""
    return Region.around(cube(tuple(x.shape[1:]), norm, eps), x)


def members(x: torch.Tensor, norm: Norm, eps: float, count: int, seed: int = 0) -> torch.Tensor:
    """(count, n, ...) points of the region, many of them at its edge."""
    generator = torch.Generator().manual_seed(seed)
    drawn = torch.randn(count, *x.shape, generator=generator, dtype=torch.float64)
    if norm is Norm.LINF:
        drawn[::2] = drawn[::2].sign()  # corners
        return (x + eps * drawn.clamp(-1, 1)).clamp(0, 1)
    order = {Norm.L2: 2, Norm.L1: 1}[norm]
    length = torch.linalg.vector_norm(drawn.flatten(2), order, dim=2).reshape(
        count, len(x), *[1] * (x.dim() - 1)
    )
    return (x + eps * drawn / length).clamp(0, 1)
