r"""Networks for adversarial training, small enough for two processor cores.

    gambeson harden start.safetensors --factory examples/robust_nets.py:mnist --data mnist.npz --eps 0.3 --fresh \
        --recipe trades -p beta=3 -p steps=2 -p reach=0.8 --keep-perturbations --average 0.998 --epochs 20

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
    """For 1 x 28 x 28 pictures in [0, 1] under linf 0.3: SmallCNN of Zhang et al. 2019, arXiv:1901.08573."""
    return nn.Sequential(
        nn.Conv2d(1, 32, 3),
        nn.ReLU(),
        nn.Conv2d(32, 32, 3),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(32, 64, 3),
        nn.ReLU(),
        nn.Conv2d(64, 64, 3),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Linear(1024, 200),
        nn.ReLU(),
        nn.Linear(200, 200),
        nn.ReLU(),
        nn.Linear(200, 10),
    )


def cifar10() -> nn.Module:
    """For 3 x 32 x 32 pictures in [0, 1]."""
    return nn.Sequential(*_convolutions(3, 32, 32))


if __name__ == "__main__":
    torch.manual_seed(0)
    save_file({"mnist": mnist, "cifar10": cifar10}[sys.argv[1]]().state_dict(), sys.argv[2])
