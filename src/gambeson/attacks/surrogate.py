"""The surrogate: a network that an attacker trains on the answers of a model that he cannot look into."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from gambeson.data.schema import Schema
from gambeson.models.model import ModelInfo
from gambeson.models.torch_training import train

_CELLS = 4
"""Cells along a side that the last layers see."""
_LARGEST = 32
"""Side to which larger pictures are averaged down."""
_WIDTH = 16
_NOISE = 0.125
"""Half-width of the noise while training, of a range from -1 to 1: what a network learns under noise looks at larger
shapes, and its adversarial examples transfer better (Springer et al. 2021, arXiv:2106.02105, for adversarial training).
"""


@dataclass(frozen=True, slots=True)
class Surrogate:
    """A trained network behind the model seam."""

    module: nn.Module
    info: ModelInfo

    @property
    def device(self) -> str:
        """It lives on the CPU."""
        return "cpu"

    def forward(self, x: Tensor) -> Tensor:
        """Logits (n, classes) of (n, *shape); keeps the autograd graph."""
        return self.module(x)  # type: ignore[no-any-return]

    def scores(self, x: np.ndarray) -> np.ndarray:
        """Logits (n, classes)."""
        with torch.no_grad():
            return self.forward(torch.from_numpy(x)).numpy()


class Centre(nn.Module):
    """Brings every feature from its bounds to [-1, 1]."""

    def __init__(self, low: np.ndarray, high: np.ndarray) -> None:
        super().__init__()
        self._middle = torch.from_numpy((low + high) / 2)
        self._reach = torch.from_numpy(np.maximum((high - low) / 2, 1e-12))

    def forward(self, x: Tensor) -> Tensor:
        """(n, *shape) to the same shape."""
        return (x - self._middle) / self._reach


class Noise(nn.Module):
    """Adds uniform noise while training; nothing afterwards."""

    def forward(self, x: Tensor) -> Tensor:
        """(n, *shape) to the same shape."""
        return x + _NOISE * (2 * torch.rand_like(x) - 1) if self.training else x


def default_network(schema: Schema, classes: int) -> nn.Module:
    """A network of a size that trains within seconds, untrained: logits for inputs of the schema.

    Three convolutions for pictures, averaged down to 32 pixels a side; two hidden layers for everything else.
    """
    low, high = schema.bounds()
    if not schema.is_image:
        inputs = math.prod(schema.shape)
        return nn.Sequential(
            Centre(low, high),
            Noise(),
            nn.Flatten(),
            *_dense(inputs, 128),
            *_dense(128, 128),
            nn.Linear(128, classes),
        )
    channels, *sides = schema.shape
    cells = max(1, min(min(sides) // 4, _CELLS))
    smaller = [nn.AdaptiveAvgPool2d(_LARGEST)] if min(sides) > _LARGEST else []
    return nn.Sequential(
        Centre(low, high),
        *smaller,
        Noise(),
        *_convolution(channels, _WIDTH, 1),
        *_convolution(_WIDTH, 2 * _WIDTH, 2),
        *_convolution(2 * _WIDTH, 2 * _WIDTH, 2),
        nn.AdaptiveAvgPool2d(cells),
        nn.Flatten(),
        *_dense(2 * _WIDTH * cells**2, 128),
        nn.Linear(128, classes),
    )


def _dense(inputs: int, outputs: int) -> tuple[nn.Module, ...]:
    return nn.Linear(inputs, outputs), nn.ReLU()


def _convolution(inputs: int, outputs: int, stride: int) -> tuple[nn.Module, ...]:
    weights = nn.Conv2d(inputs, outputs, 3, stride=stride, padding=1, bias=False)
    return weights, nn.BatchNorm2d(outputs), nn.ReLU()


def train_surrogate(
    x: Tensor, answers: Tensor, schema: Schema, classes: int, *, updates: int, seed: int
) -> Surrogate:
    """Fit the default network to what the target answered.

    Args:
        x: (n, *shape) float32, inputs of the attacker's own.
        answers: What the target says of them: (n,) int64 classes, or (n, classes) float32 probabilities.
        schema: Shape and bounds.
        classes: Number of classes.
        updates: Optimiser steps, at most rounded up to whole passes over the data.
        seed: Seeds initial weights and shuffling.

    Raises:
        ModelError: Training failed or diverged.

    Source: Papernot et al. 2017, arXiv:1602.02697, section 4. Deviation: no synthetic queries; the attacker asks
    about each of his inputs once.
    """
    module = train(
        lambda: default_network(schema, classes),
        lambda logits: logits.log_softmax(1),
        x,
        answers,
        seed=seed,
        updates=updates,
    )
    info = ModelInfo("surrogate", "torch", schema.shape, classes, "logits")
    return Surrogate(module.eval().requires_grad_(False), info)
