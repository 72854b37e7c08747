"""Sums of gradients that are clipped row by row, in one backward pass: book-keeping.

A forward hook keeps each layer's input and the place of its output in the graph. One backward pass to those places
gives gradients at the outputs, from which ``shares`` makes norms and weighted sums. Gradients of the weights
themselves are never computed by torch.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.graph import GradientEdge, get_gradient_edge

from gambeson.core.errors import ModelError, UsageError
from gambeson.defenses.private.shares import RULES, Share

Losses = Callable[[Tensor, Tensor], Tensor]
"""Losses (n,) of inputs (n, *shape) and labels (n,); row i depends on row i alone."""


@dataclass(frozen=True, slots=True)
class Clipped:
    """Gradients of n rows, clipped one by one and summed.

    Attributes:
        sums: By name of the parameter, in its shape.
        norms: (n,) Euclidean norms before clipping.
        losses: (n,) losses.
    """

    sums: dict[str, Tensor]
    norms: Tensor
    losses: Tensor


@dataclass(frozen=True, slots=True)
class _Call:
    """One use of a layer: its input, the version that the input had, and where its output is in the graph."""

    a: Tensor
    version: int
    place: GradientEdge


def clipped_sums(module: nn.Module, losses: Losses, x: Tensor, y: Tensor, clip: float) -> Clipped:
    """The sum over rows of gradient * min(1, clip / norm); every trained parameter is in it.

    Args:
        module: A network that ``layers.require_private`` accepts; ``losses`` calls it once.
        losses: Losses of rows.
        x: (n, *shape), n at least 1.
        y: (n,).
        clip: Largest norm that a row keeps; infinite to clip nothing.

    Raises:
        UsageError: A layer is used twice, or its input is changed in place after it was used.
        ModelError: A gradient is no number.
    """
    with torch.enable_grad(), _recorded(module) as calls:
        each = losses(x, y)
    slopes = _slopes(each, list(calls.values()))
    shares: dict[str, Share] = {}
    for (name, call), slope in zip(calls.items(), slopes, strict=True):
        if slope is not None:
            layer = module.get_submodule(name)
            for share in RULES[type(layer)](layer, _unchanged(name, call), slope):
                shares[f"{name}.{share.parameter}" if name else share.parameter] = share
    norms = torch.stack([torch.zeros_like(each), *(share.squared for share in shares.values())]).sum(0).sqrt()
    if not bool(torch.isfinite(norms).all()):
        raise ModelError(
            "The gradient of a row is no number: it cannot be clipped.",
            remedy="lower the learning rate, or look for rows that are no numbers or far out of range",
        )
    weights = (clip / norms.clamp(min=torch.finfo(norms.dtype).tiny)).clamp(max=1).to(each.dtype)
    sums = {
        name: shares[name].summed(weights) if name in shares else torch.zeros_like(parameter)
        for name, parameter in module.named_parameters()
        if parameter.requires_grad
    }
    return Clipped(sums, norms, each.detach())


def _slopes(losses: Tensor, calls: list[_Call]) -> tuple[Tensor | None, ...]:
    if not calls:
        return ()
    places: Any = [call.place for call in calls]
    found: tuple[Tensor | None, ...] = torch.autograd.grad(losses.sum(), places, allow_unused=True)
    return found


@contextlib.contextmanager
def _recorded(module: nn.Module) -> Iterator[dict[str, _Call]]:
    """Inside, every use of a layer that has weights is noted under its name."""
    calls: dict[str, _Call] = {}

    def note(name: str) -> Callable[[nn.Module, tuple[Tensor, ...], Tensor], None]:
        def hook(_: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> None:
            if name in calls:
                raise UsageError(
                    f"The layer {name or 'that is the network'} is used twice in one pass.",
                    expected="layers with weights that are used once",
                    remedy="give each use a layer of its own",
                )
            a = inputs[0].detach()
            calls[name] = _Call(a, a._version, get_gradient_edge(output))

        return hook

    hooks = [
        layer.register_forward_hook(note(name))
        for name, layer in module.named_modules()
        if any(parameter.requires_grad for parameter in layer.parameters(recurse=False))
    ]
    try:
        yield calls
    finally:
        for hook in hooks:
            hook.remove()


def _unchanged(name: str, call: _Call) -> Tensor:
    if call.a._version != call.version:
        raise UsageError(
            f"The input of the layer {name} is changed in place after the layer used it.",
            remedy="compute out of place there: inplace=False, or x = x + y instead of x += y",
        )
    return call.a
