"""Small models with known behaviour for the tests."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn

from gambeson.models.model import ModelInfo


class TensorModel:
    """A differentiable model around a module."""

    device = "cpu"

    def __init__(
        self, module: nn.Module, shape: tuple[int, ...], classes: int, scores: str = "logits"
    ) -> None:
        self.module = module.eval().requires_grad_(False)
        self.info = ModelInfo("tiny", "torch", shape, classes, scores)

    def forward(self, x: Tensor) -> Tensor:
        return self.module(x)

    def scores(self, x: np.ndarray) -> np.ndarray:
        with torch.no_grad():
            return self.module(torch.from_numpy(x)).numpy()


class ScoreModel:
    """A model that gives scores only."""

    def __init__(self, function, shape: tuple[int, ...], classes: int, scores: str = "logits") -> None:
        self.function = function
        self.info = ModelInfo("tiny", "callable", shape, classes, scores)

    def scores(self, x: np.ndarray) -> np.ndarray:
        return self.function(x)


def linear(weights, bias=None) -> TensorModel:
    """Logits = W x + b over a flat input."""
    w = torch.tensor(weights, dtype=torch.float32)
    layer = nn.Linear(w.shape[1], w.shape[0])
    layer.weight.data = w
    layer.bias.data = torch.zeros(w.shape[0]) if bias is None else torch.tensor(bias, dtype=torch.float32)
    return TensorModel(layer, (w.shape[1],), w.shape[0])


def perceptron(shape: tuple[int, ...] = (1, 6, 6), classes: int = 4, seed: int = 0) -> TensorModel:
    """A random two-layer perceptron: not robust, not linear."""
    generator = torch.Generator().manual_seed(seed)
    size = int(np.prod(shape))
    net = nn.Sequential(nn.Flatten(), nn.Linear(size, 32), nn.Tanh(), nn.Linear(32, classes))
    for parameter in net.parameters():
        parameter.data = (
            torch.randn(parameter.shape, generator=generator) / max(parameter.shape[-1], 1) ** 0.5 * 3
        )
    return TensorModel(net, shape, classes)


def convnet(channels: int = 2, size: int = 8, classes: int = 5, seed: int = 0) -> TensorModel:
    """A random convolutional network."""
    generator = torch.Generator().manual_seed(seed)
    net = nn.Sequential(
        nn.Conv2d(channels, 8, 3, padding=1),
        nn.ReLU(),
        nn.Conv2d(8, 8, 3, stride=2),
        nn.ReLU(),
        nn.Flatten(),
        nn.LazyLinear(classes),
    )
    net(torch.zeros(1, channels, size, size))
    for parameter in net.parameters():
        parameter.data = torch.randn(parameter.shape, generator=generator) * 0.3
    return TensorModel(net, (channels, size, size), classes)


def answer_one_class(x: np.ndarray) -> np.ndarray:
    """Logits of ten classes, as a function that a command names: always a little for class 3."""
    scores = np.tile(np.linspace(0, 1, 10, dtype=np.float32), (len(x), 1))
    scores[:, 3] += 2
    return scores
