"""The judge: a classifier of our own that says which class a reconstruction shows; the target has no part in it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from gambeson.attacks.privacy.inversion.space import Space
from gambeson.attacks.privacy.inversion.views import look
from gambeson.attacks.randomness import SampleRandom
from gambeson.core.errors import ModelError
from gambeson.core.reproduce import Seed

_BATCH = 128
_RATE = 1e-2
_SMOOTHING = 0.05
_WIDTH = 16
_LARGEST = 32
"""Side to which larger pictures are averaged down."""


@dataclass(frozen=True, slots=True)
class Judge:
    """A trained classifier of inputs.

    Attributes:
        network: In evaluation mode, frozen.
        space: Of the inputs.
    """

    network: nn.Module
    space: Space

    def scores(self, x: Tensor) -> Tensor:
        """(n, classes) logits of (n, *shape) in input units."""
        with torch.no_grad():
            return torch.cat([self.network(self.space.to_unit(part)) for part in torch.split(x, 512)])

    def weights(self) -> Mapping[str, np.ndarray]:
        """All that :func:`restore_judge` needs beside the space."""
        return {name: value.numpy() for name, value in self.network.state_dict().items()}


def train_judge(x: Tensor, y: Tensor, space: Space, classes: int, *, updates: int, seed: Seed) -> Judge:
    """Train on inputs that the target was not trained on, each seen under random views.

    One-cycle learning rate (Smith & Topin 2019, arXiv:1708.07120) and AdamW, because a judge must be good after
    few updates.

    Args:
        x: (n, *shape) float32 inputs.
        y: (n,) int64 labels.
        space: Of the inputs.
        classes: Number of classes.
        updates: Optimiser steps.
        seed: Of weights, order and views.

    Raises:
        ModelError: Training diverged.
    """
    network = _empty(space, classes)
    _draw_weights(network, torch.Generator().manual_seed(seed.child("weights").integer()))
    _train(network.train(), x, y, space, updates, seed)
    if not all(bool(torch.isfinite(p).all()) for p in network.parameters()):
        raise ModelError("Training the judge of reconstructions diverged.")
    return Judge(network.eval().requires_grad_(False), space)


def restore_judge(weights: Mapping[str, np.ndarray], space: Space, classes: int) -> Judge:
    """A judge from its weights."""
    network = _empty(space, classes)
    network.load_state_dict({name: torch.from_numpy(np.array(value)) for name, value in weights.items()})
    return Judge(network.eval().requires_grad_(False), space)


def _train(network: nn.Module, x: Tensor, y: Tensor, space: Space, updates: int, seed: Seed) -> None:
    optimizer = torch.optim.AdamW(network.parameters(), lr=_RATE, weight_decay=0.01)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, _RATE, total_steps=max(updates, 2))
    order = torch.Generator().manual_seed(seed.child("order").integer())
    views = SampleRandom(torch.from_numpy(seed.child("views").keys(np.arange(_BATCH))))
    u = space.to_unit(x)
    typical = u.mean(0)
    with torch.enable_grad():
        for step in range(updates):
            rows = torch.randint(len(u), (_BATCH,), generator=order)
            seen = look(u[rows], space, views, step, typical)
            optimizer.zero_grad(set_to_none=True)
            loss = F.cross_entropy(network(seen), y[rows], label_smoothing=_SMOOTHING)
            loss.backward()  # type: ignore[no-untyped-call]
            optimizer.step()
            schedule.step()


def _empty(space: Space, classes: int) -> nn.Module:
    """The network without values: drawing them would move torch's global generator."""
    with torch.device("meta"):
        network = _network(space, classes)
    return network.to_empty(device="cpu")


def _network(space: Space, classes: int) -> nn.Module:
    """Two strided convolutions for pictures, one wide hidden layer with dropout for everything else."""
    if not space.is_image:
        inputs = math.prod(space.shape)
        hidden = nn.Linear(inputs, 256), nn.BatchNorm1d(256), nn.ReLU(), _Dropout()
        return nn.Sequential(nn.Flatten(), *hidden, nn.Linear(256, classes))
    channels, *sides = space.shape
    smaller = [nn.AdaptiveAvgPool2d(_LARGEST)] if min(sides) > _LARGEST else []
    sides = [min(sides[0], _LARGEST), min(sides[1], _LARGEST)] if smaller else sides
    stride = 2 if min(sides) >= 16 else 1
    cells = math.prod(math.ceil(math.ceil(side / stride) / 2) for side in sides)
    return nn.Sequential(
        *smaller,
        *_convolution(channels, _WIDTH, 5, stride),
        *_convolution(_WIDTH, 2 * _WIDTH, 3, 2),
        nn.Flatten(),
        nn.Linear(2 * _WIDTH * cells, 128),
        nn.ReLU(),
        nn.Linear(128, classes),
    )


def _convolution(inputs: int, outputs: int, size: int, stride: int) -> tuple[nn.Module, ...]:
    weights = nn.Conv2d(inputs, outputs, size, stride=stride, padding=size // 2, bias=False)
    return weights, nn.BatchNorm2d(outputs), nn.ReLU()


class _Dropout(nn.Module):
    """Half of the values are left out while training, drawn from a generator of its own."""

    def __init__(self) -> None:
        super().__init__()
        self._generator = torch.Generator().manual_seed(0)

    def forward(self, x: Tensor) -> Tensor:
        """(n, d) to the same shape."""
        if not self.training:
            return x
        return x * 2 * (torch.rand(x.shape, generator=self._generator) < 0.5)


def _draw_weights(network: nn.Module, generator: torch.Generator) -> None:
    for layer in network.modules():
        if isinstance(layer, nn.Linear | nn.Conv2d):
            nn.init.kaiming_normal_(layer.weight, nonlinearity="relu", generator=generator)
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)
        elif isinstance(layer, nn.BatchNorm1d | nn.BatchNorm2d):
            layer.reset_parameters()
