"""Layers that certificates know: how each operator of PyTorch becomes affine maps and rectifiers.

Operators bear the names of the ATen library, in which ``torch.export`` writes every network down. What is
piecewise linear is written with rectifiers: clamp(x, a, b) = a + max(x - a, 0) - max(x - b, 0) and so on.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F
from torch.nn import grad as conv_grad

from gambeson.certify.network import Affine, Apply, Builder, LinearMap

Handler = Callable[[Builder, Mapping[str, Any], tuple[int, ...]], int]
"""``handler(builder, arguments, shape)``: the node it added. Arguments by name: a node is a ``Value``, a constant a
float64 tensor; ``shape`` is that of the result without the batch axis."""

_BATCH_NORM_TERMS = 8
"""Roundings of (x - mean) / sqrt(var + eps) * weight + bias, whatever their order."""


class Value(int):
    """Number of a node among a handler's arguments, which tells it from a plain integer."""


def same(x: Tensor) -> Tensor:
    """The identity."""
    return x


IDENTITY = LinearMap(same, same, same)


def scaled(by: Tensor | float) -> LinearMap:
    """Multiplication, value by value."""
    c = torch.as_tensor(by, dtype=torch.float64)
    size = c.abs()
    return LinearMap(lambda x: x * c, lambda x: x * size, lambda a: a * c)


def leaky(builder: Builder, x: int, slope: float) -> int:
    """max(x, 0) + slope * min(x, 0) = slope * x + (1 - slope) * max(x, 0)."""
    return builder.affine(Affine((scaled(slope), scaled(1 - slope)), terms=2), (x, builder.rectify(x)))


def clamped(builder: Builder, x: int, low: float | None, high: float | None) -> int:
    """X cut at both ends; ``None`` leaves an end open."""
    if low is not None:
        moved = builder.rectify(_shifted(builder, x, -low))
        x = _shifted(builder, moved, low)
    if high is not None:  # min(x, high) = high - max(high - x, 0)
        left = builder.affine(Affine((scaled(-1.0),), torch.tensor(high, dtype=torch.float64), 2), (x,))
        x = builder.affine(
            Affine((scaled(-1.0),), torch.tensor(high, dtype=torch.float64), 2), (builder.rectify(left),)
        )
    return x


def _shifted(builder: Builder, x: int, by: float) -> int:
    return builder.affine(Affine((IDENTITY,), torch.tensor(by, dtype=torch.float64), 2), (x,))


def _dense(builder: Builder, x: int, weight: Tensor, bias: Tensor | None) -> int:
    """X W' + b along the last axis."""
    size = weight.abs()
    rows = LinearMap(lambda v: F.linear(v, weight), lambda v: F.linear(v, size), lambda a: a @ weight)
    return builder.affine(Affine((rows,), bias, weight.shape[1] + 1, mixes=True), (x,))


def _linear(builder: Builder, given: Mapping[str, Any], shape: tuple[int, ...]) -> int:
    return _dense(builder, given["input"], given["weight"], given["bias"])


def _product(builder: Builder, given: Mapping[str, Any], shape: tuple[int, ...]) -> int:
    """X W, and addmm's b + x W."""
    x, weight = given.get("mat1", given.get("self")), given.get("mat2", given.get("other"))
    if not isinstance(x, Value) or not isinstance(weight, Tensor) or weight.dim() != 2:
        raise NotImplementedError("a product of two values that both depend on the input")
    if given.get("alpha", 1) != 1 or given.get("beta", 1) != 1:
        raise NotImplementedError("addmm with factors")
    return _dense(builder, x, weight.T.contiguous(), given["self"] if "mat1" in given else None)


_CONVOLUTIONS: dict[str, tuple[Callable[..., Tensor], Callable[..., Tensor]]] = {
    "conv1d": (F.conv1d, conv_grad.conv1d_input),
    "conv2d": (F.conv2d, conv_grad.conv2d_input),
}


def _convolution(name: str) -> Handler:
    forward, backward = _CONVOLUTIONS[name]

    def add(builder: Builder, given: Mapping[str, Any], shape: tuple[int, ...]) -> int:
        weight, bias, x = given["weight"].contiguous(), given["bias"], given["input"]
        how = (given["stride"], given["padding"], given["dilation"], given["groups"])
        before, size = builder.nodes[x].shape, weight.abs()
        rows = LinearMap(
            lambda v: forward(v, weight, None, *how),
            lambda v: forward(v, size, None, *how),
            lambda a: backward((len(a), *before), weight, a, *how),
        )
        shift = None if bias is None else bias.reshape(1, -1, *[1] * (len(shape) - 1))
        return builder.affine(Affine((rows,), shift, math.prod(weight.shape[1:]) + 1, mixes=True), (x,))

    return add


def _batch_norm(builder: Builder, given: Mapping[str, Any], shape: tuple[int, ...]) -> int:
    """With fixed statistics: one factor and one shift for each channel."""
    if given.get("training"):
        raise NotImplementedError("batch normalisation in training mode")
    mean, variance = given["running_mean"], given["running_var"]
    factor = 1 / torch.sqrt(variance + given["eps"])
    factor = factor if given["weight"] is None else factor * given["weight"]
    bias = torch.zeros_like(mean) if given["bias"] is None else given["bias"]
    channel = (1, -1, *[1] * (len(shape) - 1))
    shift, rough = bias - mean * factor, bias.abs() + (mean * factor).abs()
    op = Affine(
        (scaled(factor.reshape(channel)),), shift.reshape(channel), _BATCH_NORM_TERMS, rough.reshape(channel)
    )
    return builder.affine(op, (given["input"],))


def _rectifier(builder: Builder, given: Mapping[str, Any], shape: tuple[int, ...]) -> int:
    return builder.rectify(given["self"])


def _leaky(builder: Builder, given: Mapping[str, Any], shape: tuple[int, ...]) -> int:
    return leaky(builder, given["self"], float(given["negative_slope"]))


def _clamp(builder: Builder, given: Mapping[str, Any], shape: tuple[int, ...]) -> int:
    ends = (given.get("min", given.get("min_val")), given.get("max", given.get("max_val")))
    low, high = (None if end is None else float(end) for end in ends)
    return clamped(builder, given["self"], low, high)


def _relu6(builder: Builder, given: Mapping[str, Any], shape: tuple[int, ...]) -> int:
    return clamped(builder, given["self"], 0.0, 6.0)


def _sum_of(sign: float) -> Handler:
    """Self + sign * alpha * other, each a value or a constant."""

    def add(builder: Builder, given: Mapping[str, Any], shape: tuple[int, ...]) -> int:
        factor = sign * float(given.get("alpha", 1))
        first, second = given["self"], given["other"]
        if isinstance(first, Value) and isinstance(second, Value):
            if builder.nodes[first].shape != builder.nodes[second].shape:
                raise NotImplementedError("a sum of values of different shapes")
            return builder.affine(Affine((IDENTITY, scaled(factor)), terms=2), (first, second))
        if isinstance(first, Value):
            return builder.affine(Affine((IDENTITY,), constant(second, shape) * factor, 2), (first,))
        return builder.affine(Affine((scaled(factor),), constant(first, shape), 2), (second,))

    return add


def _reversed_difference(builder: Builder, given: Mapping[str, Any], shape: tuple[int, ...]) -> int:
    return _sum_of(-1.0)(builder, {**given, "self": given["other"], "other": given["self"]}, shape)


def _times(inverse: bool) -> Handler:
    """Multiplication by a constant, or division by one."""

    def add(builder: Builder, given: Mapping[str, Any], shape: tuple[int, ...]) -> int:
        first, second = given["self"], given["other"]
        if not inverse and not isinstance(first, Value):
            first, second = second, first
        if not isinstance(first, Value) or isinstance(second, Value):
            raise NotImplementedError("a product or quotient of two values that both depend on the input")
        c = constant(second, shape)
        return builder.affine(Affine((scaled(1 / c if inverse else c),), terms=2), (first,))

    return add


def _negative(builder: Builder, given: Mapping[str, Any], shape: tuple[int, ...]) -> int:
    return builder.affine(Affine((scaled(-1.0),)), (given["self"],))


def constant(value: Any, shape: tuple[int, ...]) -> Tensor:
    """A number or tensor that is the same for every row, as (1, ...) float64 that broadcasts over the batch."""
    c = torch.as_tensor(value, dtype=torch.float64)
    if c.dim() > len(shape) and c.shape[0] != 1:
        raise NotImplementedError("a constant with a value for each row of the batch")
    return c if c.dim() == 0 else c.reshape(*[1] * (len(shape) + 1 - c.dim()), *c.shape)


def _reshape(builder: Builder, given: Mapping[str, Any], shape: tuple[int, ...]) -> int:
    x = given.get("self", given.get("input"))
    before = builder.nodes[x].shape
    if math.prod(before) != math.prod(shape):
        raise NotImplementedError("a view across the rows of a batch")
    to, back = (lambda v: v.reshape(len(v), *shape)), (lambda a: a.reshape(len(a), *before))
    return builder.affine(Affine((LinearMap(to, to, back),)), (x,))


def positive(apply: Apply, terms: int, *, mixes: bool) -> Affine:
    """A map whose coefficients are all at least 0, so that ``spread`` is the map itself."""
    return Affine((LinearMap(apply, apply),), terms=terms, mixes=mixes)


def _mean(builder: Builder, given: Mapping[str, Any], shape: tuple[int, ...]) -> int:
    x, axes = given["self"], given["dim"]
    before = builder.nodes[x].shape
    axes = [axis % (len(before) + 1) for axis in axes or ()]
    if not axes or 0 in axes:
        raise NotImplementedError("a mean over the batch")
    keep = bool(given["keepdim"])
    terms = math.prod(before[axis - 1] for axis in axes) + 1
    return builder.affine(positive(lambda v: v.mean(axes, keep), terms, mixes=True), (x,))


def _average_pool(builder: Builder, given: Mapping[str, Any], shape: tuple[int, ...]) -> int:
    names = ("kernel_size", "stride", "padding", "ceil_mode", "count_include_pad", "divisor_override")
    kernel, stride, *rest = (given[name] for name in names)
    terms = math.prod(kernel) + 1
    pool = positive(lambda v: F.avg_pool2d(v, kernel, stride or None, *rest), terms, mixes=True)
    return builder.affine(pool, (given["self"],))


def _adaptive_pool(builder: Builder, given: Mapping[str, Any], shape: tuple[int, ...]) -> int:
    x, size = given["self"], given["output_size"]
    terms = math.prod(builder.nodes[x].shape[1:]) + 1
    return builder.affine(positive(lambda v: F.adaptive_avg_pool2d(v, size), terms, mixes=True), (x,))


def _max_pool(builder: Builder, given: Mapping[str, Any], shape: tuple[int, ...]) -> int:
    """The largest of the strided copies of the input, two at a time: max(a, b) = a + max(b - a, 0)."""
    if any(given["padding"]) or any(step != 1 for step in given["dilation"]) or given["ceil_mode"]:
        raise NotImplementedError("max pooling with padding, dilation or a rounded-up size")
    x, (tall, wide) = given["self"], _pair(given["kernel_size"])
    down, across = _pair(given["stride"] or given["kernel_size"])
    best: int | None = None
    for i in range(tall):
        for j in range(wide):
            rows = slice(i, i + down * (shape[1] - 1) + 1, down)
            columns = slice(j, j + across * (shape[2] - 1) + 1, across)
            cut = (slice(None), slice(None), rows, columns)
            part = builder.affine(positive(partial(_cut, cut), 1, mixes=False), (x,))
            best = part if best is None else _larger(builder, best, part)
    assert best is not None
    return best


def _pair(size: Any) -> tuple[int, int]:
    both = list(size) * 2 if len(size) == 1 else list(size)
    return both[0], both[1]


def _cut(cut: tuple[slice, ...], v: Tensor) -> Tensor:
    return v[cut]


def _larger(builder: Builder, a: int, b: int) -> int:
    above = builder.rectify(builder.affine(Affine((IDENTITY, scaled(-1.0)), terms=2), (b, a)))
    return builder.affine(Affine((IDENTITY, IDENTITY), terms=2), (a, above))


def _pad(builder: Builder, given: Mapping[str, Any], shape: tuple[int, ...]) -> int:
    if given.get("mode", "constant") != "constant" or given.get("value") not in (None, 0, 0.0):
        raise NotImplementedError("padding with anything but zeros")
    width = list(given["pad"])
    if len(width) > 2 * len(shape):
        raise NotImplementedError("padding of the batch")
    return builder.affine(positive(lambda v: F.pad(v, width), 1, mixes=False), (given["self"],))


def _slice(builder: Builder, given: Mapping[str, Any], shape: tuple[int, ...]) -> int:
    x, axis = given["self"], given["dim"]
    axis %= len(builder.nodes[x].shape) + 1
    start, end, step = given["start"], given["end"], given["step"]
    if axis == 0:
        if start not in (None, 0) or step != 1:
            raise NotImplementedError("a choice among the rows of a batch")
        return int(x)
    cut = (slice(None),) * axis + (slice(start, end, step),)
    return builder.affine(positive(lambda v: v[cut], 1, mixes=False), (x,))


def _permute(builder: Builder, given: Mapping[str, Any], shape: tuple[int, ...]) -> int:
    axes = [axis % len(given["dims"]) for axis in given["dims"]]
    if axes[0] != 0:
        raise NotImplementedError("a transposition of the batch")
    return builder.affine(positive(lambda v: v.permute(axes), 1, mixes=False), (given["self"],))


def _pass_on(builder: Builder, given: Mapping[str, Any], shape: tuple[int, ...]) -> int:
    """What changes nothing: dropout in evaluation mode, copies, detached tensors."""
    if given.get("train"):
        raise NotImplementedError("dropout in training mode")
    if given.get("dtype") not in (None, torch.float32, torch.float64):
        raise NotImplementedError(f"arithmetic in {given['dtype']}")
    return int(given.get("self", given.get("input")))


LAYERS: Mapping[str, Handler] = {
    "linear": _linear,
    "addmm": _product,
    "mm": _product,
    "matmul": _product,
    "conv1d": _convolution("conv1d"),
    "conv2d": _convolution("conv2d"),
    "batch_norm": _batch_norm,
    "_native_batch_norm_legit_no_training": _batch_norm,
    "relu": _rectifier,
    "leaky_relu": _leaky,
    "clamp": _clamp,
    "clamp_min": _clamp,
    "clamp_max": _clamp,
    "hardtanh": _clamp,
    "relu6": _relu6,
    "add": _sum_of(1.0),
    "sub": _sum_of(-1.0),
    "rsub": _reversed_difference,
    "mul": _times(inverse=False),
    "div": _times(inverse=True),
    "neg": _negative,
    "mean": _mean,
    "avg_pool2d": _average_pool,
    "adaptive_avg_pool2d": _adaptive_pool,
    "max_pool2d": _max_pool,
    "pad": _pad,
    "constant_pad_nd": _pad,
    "slice": _slice,
    "permute": _permute,
    **dict.fromkeys(
        ("view", "reshape", "flatten", "squeeze", "unsqueeze", "unflatten", "_unsafe_view"), _reshape
    ),
    **dict.fromkeys(
        (
            "dropout",
            "feature_dropout",
            "clone",
            "detach",
            "alias",
            "contiguous",
            "to",
            "_to_copy",
            "lift_fresh_copy",
        ),
        _pass_on,
    ),
}
"""Operators by their ATen name, without the overload."""
