"""Networks for adversarial training, small enough for two processor cores.

    gambeson harden start.safetensors --factory examples/robust_nets.py:mnist --data mnist.npz --eps 0.3 --fresh

``python examples/robust_nets.py mnist start.safetensors`` writes untrained weights to start from.
"""

from __future__ import annotations

import sys

import torch
from safetensors.torch import save_file
from torch import nn


def _convolutions(channels: int, size: int, width: int) -> tuple[nn.Module, ...]:
    """Four layers: (n, channels, size, size) to (n, 10) logits."""
    return (
        nn.Conv2d(channels, width, 4, stride=2, padding=1),
        nn.ReLU(),
        nn.Conv2d(width, 2 * width, 4, stride=2, padding=1),
        nn.ReLU(),
        nn.Flatten(),
        nn.Linear(2 * width * (size // 4) ** 2, 100),
        nn.ReLU(),
        nn.Linear(100, 10),
    )


def mnist() -> nn.Module:
    """For 1 x 28 x 28 pictures in [0, 1] under linf 0.3."""
    return nn.Sequential(*_convolutions(1, 28, 16))


def cifar10() -> nn.Module:
    """For 3 x 32 x 32 pictures in [0, 1]."""
    return nn.Sequential(*_convolutions(3, 32, 32))


if __name__ == "__main__":
    torch.manual_seed(0)
    save_file({"mnist": mnist, "cifar10": cifar10}[sys.argv[1]]().state_dict(), sys.argv[2])
