"""ResNet-20 for CIFAR-10 (He et al. 2015, arXiv:1512.03385, section 4.2), for weights with these names.

gambeson audit resnet20_cifar10.safetensors --factory examples/resnet20.py:build --data cifar10.npz
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

SHAPE = (3, 32, 32)
MEAN = (0.485, 0.456, 0.406)
STD = (0.229, 0.224, 0.225)


class Block(nn.Module):
    """Two convolutions and the shortcut of option A: every second pixel, new channels filled with zeros."""

    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(outputs)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(outputs)
        self.stride = stride
        self.grown = outputs - inputs

    def forward(self, x: Tensor) -> Tensor:
        """(n, inputs, h, w) to (n, outputs, h / stride, w / stride)."""
        out = F.relu(self.bn1(self.conv1(x)))
        out = self.bn2(self.conv2(out))
        return F.relu(out + self.shortcut(x))

    def shortcut(self, x: Tensor) -> Tensor:
        """The input itself, or its subsampling with half of the new channels on either side."""
        if not self.grown and self.stride == 1:
            return x
        half = self.grown // 2
        return F.pad(x[:, :, :: self.stride, :: self.stride], (0, 0, 0, 0, half, self.grown - half))


class ResNet20(nn.Module):
    """Three groups of three blocks with 16, 32 and 64 channels; normalises its input itself."""

    def __init__(self, classes: int = 10) -> None:
        super().__init__()
        # not saved with the weights: the constants belong to the architecture
        self.register_buffer("mean", torch.tensor(MEAN).view(1, 3, 1, 1), persistent=False)
        self.register_buffer("std", torch.tensor(STD).view(1, 3, 1, 1), persistent=False)
        self.conv1 = nn.Conv2d(3, 16, 3, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(16)
        self.layer1 = group(16, 16, stride=1)
        self.layer2 = group(16, 32, stride=2)
        self.layer3 = group(32, 64, stride=2)
        self.linear = nn.Linear(64, classes)

    def forward(self, x: Tensor) -> Tensor:
        """(n, 3, 32, 32) RGB in [0, 1] to (n, classes) logits."""
        if x.shape[1:] != SHAPE:  # one channel would broadcast against the mean and go unnoticed
            raise ValueError(f"inputs of shape {tuple(x.shape[1:])}, but this network takes {SHAPE}")
        x = (x - self.mean) / self.std
        x = F.relu(self.bn1(self.conv1(x)))
        x = self.layer3(self.layer2(self.layer1(x)))
        return self.linear(x.mean((2, 3)))


def group(inputs: int, outputs: int, *, stride: int) -> nn.Sequential:
    """Three blocks; the first one changes size and channels."""
    return nn.Sequential(
        Block(inputs, outputs, stride), Block(outputs, outputs, 1), Block(outputs, outputs, 1)
    )


def build() -> nn.Module:
    """The untrained network."""
    return ResNet20()
