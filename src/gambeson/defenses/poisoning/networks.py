"""The network of an inspection: small enough to be trained several times within a minute."""

from __future__ import annotations

import math

import torch
from torch import nn

from gambeson.attacks.surrogate import Centre, default_network
from gambeson.data.schema import Schema

_LARGEST = 32
"""Side to which larger pictures are averaged down."""
_WIDTH = 32


def inspector(schema: Schema) -> nn.Module:
    """Two convolutions with a stride of 2 and two layers for pictures; two hidden layers for everything else.

    Args:
        schema: Shape, bounds and classes.
    """
    classes = len(schema.classes)
    if len(schema.shape) != 3 or min(schema.shape[1:]) < 12:
        return default_network(schema, classes)
    channels, *sides = schema.shape
    smaller = [nn.AdaptiveAvgPool2d(_LARGEST)] if min(sides) > _LARGEST else []
    body = nn.Sequential(
        Centre(*schema.bounds()),
        *smaller,
        *_convolution(channels, _WIDTH, 5),
        *_convolution(_WIDTH, 2 * _WIDTH, 3),
        nn.Flatten(),
    )
    with torch.no_grad():
        width = math.prod(body.eval()(torch.zeros(1, *schema.shape)).shape[1:])
    return nn.Sequential(*body, nn.Linear(width, 128), nn.ReLU(), nn.Linear(128, classes))


def _convolution(inputs: int, outputs: int, size: int) -> tuple[nn.Module, ...]:
    weights = nn.Conv2d(inputs, outputs, size, stride=2, padding=size // 2, bias=False)
    return weights, nn.BatchNorm2d(outputs), nn.ReLU()
