"""The features of a network: what its last linear layer looks at."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from gambeson.core.errors import Unavailable


def last_features(module: nn.Module, x: Tensor) -> tuple[Tensor, Tensor]:
    """What the last linear layer is given, and the network's answer; keeps the autograd graph.

    Args:
        module: The network.
        x: (n, *shape) float32.

    Returns:
        (n, d) features and (n, classes) raw answers.

    Raises:
        Unavailable: The network calls no linear layer, or on other rows than those it was given.
    """
    seen: list[Tensor] = []

    def keep(layer: nn.Module, given: tuple[Any, ...]) -> None:
        seen[:] = [given[0]]

    handles = [
        part.register_forward_pre_hook(keep) for part in module.modules() if isinstance(part, nn.Linear)
    ]
    try:
        answer = module(x)
    finally:
        for handle in handles:
            handle.remove()
    if not seen or seen[0].shape[0] != len(x):
        raise Unavailable(
            "This network gives no features: it ends in no linear layer.",
            expected="a network whose last layer is torch.nn.Linear",
        )
    return seen[0].flatten(1), answer


def has_features(module: nn.Module) -> bool:
    """Whether there is a linear layer whose input could be looked at."""
    return any(isinstance(part, nn.Linear) for part in module.modules())


def features_of(module: nn.Module, x: Tensor, rows: int = 1024) -> tuple[Tensor, Tensor]:
    """The same for many rows, without gradients.

    Raises:
        Unavailable: The network gives no features.
    """
    with torch.no_grad():
        parts = [last_features(module, part) for part in torch.split(x, rows)]
    return torch.cat([part[0] for part in parts]), torch.cat([part[1] for part in parts])
