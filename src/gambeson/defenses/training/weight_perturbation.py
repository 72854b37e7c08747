"""Adversarial weight perturbation: the loss is also made small where the weights are moved against it."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import torch
from torch import Tensor, nn

_TINY = 1e-12


@contextlib.contextmanager
def perturbed(module: nn.Module, loss: Tensor, size: float) -> Iterator[None]:
    """Inside, the weights of each layer lie where ``loss`` is larger; afterwards where they were.

    Args:
        module: The network; its matrices and kernels are moved, biases and scales are not.
        loss: A loss whose graph leads to its weights; the graph is freed.
        size: Length of the move, relative to the norm of each weight.

    Source: Wu, Xia & Wang 2020, arXiv:2004.05884, section 4. Deviation: the step is taken from the network's own
    gradient instead of that of a proxy optimiser.
    """
    weights = [p for p in module.parameters() if p.requires_grad and p.dim() > 1]
    slopes = torch.autograd.grad(loss, weights, allow_unused=True)
    with torch.no_grad():
        before = [w.clone() for w in weights]
        for weight, slope in zip(weights, slopes, strict=True):
            if slope is not None:
                weight.add_(slope * (size * weight.norm() / (slope.norm() + _TINY)))
    try:
        yield
    finally:
        with torch.no_grad():
            for weight, old in zip(weights, before, strict=True):
                weight.copy_(old)
