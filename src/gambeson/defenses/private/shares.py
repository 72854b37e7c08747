"""What each row of a batch contributes to the gradient of a layer: its squared norm, and sums that are weighted by row.

One function for each type of layer. None of them makes a second backward pass, and gradients of single rows are only
made where that is cheaper than not to.

Source: Bu et al. 2023, "Differentially private optimization on large model at small cost", arXiv:2210.00038,
sections 2-3
    (book-keeping, and the choice between ghost norm and instantiation by dimensions).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.grad import conv1d_weight, conv2d_weight


@dataclass(frozen=True, slots=True)
class Share:
    """The gradients of n rows with respect to one parameter.

    Attributes:
        parameter: Its name within the layer.
        squared: (n,) squared Euclidean norm of each row's gradient.
        summed: From weights (n,) to the sum of the weighted gradients, in the parameter's shape.
    """

    parameter: str
    squared: Tensor
    summed: Callable[[Tensor], Tensor]


Rule = Callable[[nn.Module, Tensor, Tensor], list[Share]]
"""From a layer, its input (n, ...) and the gradient of the summed losses at its output to the shares of its weights."""

RULES: dict[type[nn.Module], Rule] = {}
"""By exact type: a subclass may compute something else."""


_CACHED = 1 << 18
"""Values of 4 bytes that a processor's cache holds."""


def _rule(*kinds: type[nn.Module]) -> Callable[[Rule], Rule]:
    def add(rule: Rule) -> Rule:
        RULES.update(dict.fromkeys(kinds, rule))
        return rule

    return add


def _single(name: str, each: Tensor) -> Share:
    """The share of a parameter from the gradients (n, *parameter) of single rows."""
    flat = each.flatten(1)
    return Share(name, _squared(flat), lambda weights: (weights @ flat).reshape(each.shape[1:]))


def _squared(rows: Tensor) -> Tensor:
    """(n,) squared norms of (n, k) rows, in one pass over them."""
    lengths: Tensor = torch.linalg.vector_norm(rows, dim=1)
    return lengths.square()


def _ghost(a: Tensor, g: Tensor) -> Tensor:
    """(n,) squared norms of the matrices g_i a_i^T of (n, d, t) and (n, p, t), without making them."""
    return ((a.mT @ a) * (g.mT @ g)).sum((1, 2)).clamp(min=0)


def _ghost_is_cheaper(places: int, weights: int) -> bool:
    """Whether two (t, t) products cost less than a matrix of weights for each row."""
    return 2 * places**2 <= weights


@_rule(nn.Linear)
def linear(layer: nn.Module, a: Tensor, g: Tensor) -> list[Share]:
    """Rows (n, d), or sequences (n, ..., d)."""
    if a.dim() > 2:
        return _sequences(layer, a.flatten(1, -2), g.flatten(1, -2))
    shares, lengths = [], _squared(g)
    if _moves(layer, "weight"):
        shares.append(Share("weight", lengths * _squared(a), lambda weights: (g * weights[:, None]).T @ a))
    if _moves(layer, "bias"):
        shares.append(Share("bias", lengths, lambda weights: weights @ g))
    return shares


def _sequences(layer: nn.Module, a: Tensor, g: Tensor) -> list[Share]:
    shares = []
    if _moves(layer, "weight"):
        if _ghost_is_cheaper(a.shape[1], a.shape[2] * g.shape[2]):
            shares.append(
                Share(
                    "weight",
                    _ghost(a.mT, g.mT),
                    lambda weights: (g * weights[:, None, None]).flatten(0, 1).T @ a.flatten(0, 1),
                )
            )
        else:
            shares.append(_single("weight", g.mT @ a))
    if _moves(layer, "bias"):
        shares.append(_single("bias", g.sum(1)))
    return shares


@_rule(nn.Conv1d, nn.Conv2d)
def convolution(layer: nn.Module, a: Tensor, g: Tensor) -> list[Share]:
    """(n, channels, length) or (n, channels, height, width), with groups, strides, dilation and any padding."""
    assert isinstance(layer, nn.Conv1d | nn.Conv2d)
    shares = []
    if _moves(layer, "weight"):
        shares.append(_kernels(layer, _padded(layer, a), g))
    if _moves(layer, "bias"):
        shares.append(_single("bias", g.flatten(2).sum(2)))
    return shares


def _kernels(layer: nn.Conv1d | nn.Conv2d, a: Tensor, g: Tensor) -> Share:
    shape, places, flat = layer.weight.shape, g[0, 0].numel(), layer.weight[0].numel()
    if not _ghost_is_cheaper(places, flat * (shape[0] // layer.groups)):
        each = a.new_empty(len(a), *shape)
        for rows in _pieces(a, places * flat * layer.groups):
            windows, slopes = _windows(layer, a[rows], places), _grouped(layer, g[rows])
            torch.bmm(slopes, windows, out=each[rows].view(len(windows), -1, flat))
        return _single("weight", each)
    gradient: Any = conv1d_weight if a.dim() == 3 else conv2d_weight

    def summed(weights: Tensor) -> Tensor:
        weighted = g * weights.reshape(-1, *[1] * (g.dim() - 1))
        found: Tensor = gradient(a, shape, weighted, layer.stride, 0, layer.dilation, layer.groups)
        return found

    squared = [
        _ghost(_windows(layer, a[rows], places).mT, _grouped(layer, g[rows]))
        for rows in _pieces(a, places * flat * layer.groups)
    ]
    return Share("weight", torch.cat(squared).reshape(len(a), layer.groups).sum(1), summed)


def _pieces(a: Tensor, values: int) -> list[slice]:
    """Rows whose windows, of so many values each, fit into a processor's cache together."""
    size = max(1, _CACHED // values)
    return [slice(start, start + size) for start in range(0, len(a), size)]


def _grouped(layer: nn.Conv1d | nn.Conv2d, g: Tensor) -> Tensor:
    """(n * groups, channels of a group, places)."""
    return g.reshape(len(g) * layer.groups, g.shape[1] // layer.groups, -1)


def _padded(layer: nn.Conv1d | nn.Conv2d, a: Tensor) -> Tensor:
    around = layer._reversed_padding_repeated_twice
    if not any(around):
        return a
    mode = "constant" if layer.padding_mode == "zeros" else layer.padding_mode
    return F.pad(a, around, mode=mode)


def _windows(layer: nn.Conv1d | nn.Conv2d, a: Tensor, places: int) -> Tensor:
    """(n * groups, places, channels of a group * kernel): what each place of the output sees of a padded input."""
    if a.dim() == 3:
        a = a[:, :, None]
    kernel, stride, dilation = (
        (1,) * (2 - len(v)) + v for v in (layer.kernel_size, layer.stride, layer.dilation)
    )
    height = (a.shape[2] - dilation[0] * (kernel[0] - 1) - 1) // stride[0] + 1
    channels = a.shape[1] // layer.groups
    row, channel, down, right = a.stride()
    view = a.as_strided(
        (len(a), layer.groups, height, places // height, channels, *kernel),
        (
            row,
            channels * channel,
            stride[0] * down,
            stride[1] * right,
            channel,
            dilation[0] * down,
            dilation[1] * right,
        ),
        a.storage_offset(),
    )
    return view.reshape(len(a) * layer.groups, places, -1)


@_rule(nn.Embedding)
def embedding(layer: nn.Module, a: Tensor, g: Tensor) -> list[Share]:
    """Numbers (n, ...) of rows of a table; a row that is met several times counts with the sum of its gradients."""
    assert isinstance(layer, nn.Embedding)
    if not _moves(layer, "weight"):
        return []
    n, width = len(a), layer.embedding_dim
    ids, slopes = a.reshape(n, -1), g.reshape(n, -1, width)
    if layer.padding_idx is not None:
        slopes = slopes * (ids != layer.padding_idx)[:, :, None]
    places = ids + layer.num_embeddings * torch.arange(n, device=a.device)[:, None]
    met, where = torch.unique(places.flatten(), return_inverse=True)
    added = slopes.new_zeros(len(met), width).index_add_(0, where, slopes.flatten(0, 1))
    owners, rows = met // layer.num_embeddings, met % layer.num_embeddings
    squared = slopes.new_zeros(n).index_add_(0, owners, _squared(added))
    shape = layer.weight.shape
    return [
        Share(
            "weight",
            squared,
            lambda weights: slopes.new_zeros(shape).index_add_(0, rows, added * weights[owners, None]),
        )
    ]


@_rule(nn.LayerNorm, nn.RMSNorm)
def layer_norm(layer: nn.Module, a: Tensor, g: Tensor) -> list[Share]:
    """(n, ..., *normalised)."""
    assert isinstance(layer, nn.LayerNorm | nn.RMSNorm)
    shape = tuple(layer.normalized_shape)
    if isinstance(layer, nn.LayerNorm):
        normal = F.layer_norm(a, shape, eps=layer.eps)
    else:
        normal = F.rms_norm(a, shape, eps=layer.eps)
    return _scaled(layer, normal, g, tuple(range(1, a.dim() - len(shape))))


@_rule(nn.GroupNorm)
def group_norm(layer: nn.Module, a: Tensor, g: Tensor) -> list[Share]:
    """(n, channels, ...)."""
    assert isinstance(layer, nn.GroupNorm)
    normal = F.group_norm(a, layer.num_groups, eps=layer.eps)
    return _scaled(layer, normal, g, tuple(range(2, a.dim())))


@_rule(nn.InstanceNorm1d, nn.InstanceNorm2d)
def instance_norm(layer: nn.Module, a: Tensor, g: Tensor) -> list[Share]:
    """(n, channels, ...)."""
    assert isinstance(layer, nn.InstanceNorm1d | nn.InstanceNorm2d)
    return _scaled(layer, F.instance_norm(a, eps=layer.eps), g, tuple(range(2, a.dim())))


def _scaled(layer: nn.Module, normal: Tensor, g: Tensor, places: tuple[int, ...]) -> list[Share]:
    """Shares of a scale and an offset that act on normalised values, the same at several places."""
    shares = []
    for name, each in (("weight", normal * g), ("bias", g)):
        if _moves(layer, name):
            shares.append(_single(name, each.sum(places) if places else each))
    return shares


def _moves(layer: nn.Module, name: str) -> bool:
    """Whether the layer has this parameter and it is trained."""
    parameter = getattr(layer, name, None)
    return parameter is not None and bool(parameter.requires_grad)
