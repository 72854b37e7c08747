"""A network with its gradient restored: what autograd cannot follow runs as it is and is the identity going back.

The network is not read but watched while it runs: each torch function passes by a mode that sees its arguments and
its answer. So it does not matter whether a step stands in a module of its own, in the middle of a ``forward`` or in an
exported program.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from gambeson.models.model import Differentiable, ModelInfo

_STEPS = frozenset({"round", "floor", "ceil", "trunc", "fix", "sign", "sgn", "heaviside"})
"""Functions whose derivative is 0 wherever it exists."""
_CLIPS = frozenset({"clamp", "clip", "hardtanh", "relu6"})
"""Functions whose derivative is 0 wherever the argument is outside an interval."""
_EXITS = frozenset({"numpy", "__array__", "tolist", "item"})
"""Functions by which values leave torch; they refuse tensors that need a gradient."""
_RISING, _FALLING = frozenset({"gt", "ge", "greater"}), frozenset({"lt", "le", "less"})
"""Comparisons that turn true as their first, or their second, argument grows."""


class StraightThrough:
    """A model that answers as the original does, to the bit, and whose gradient goes through every obstacle.

    Rounding, signs, comparisons, whole numbers and ``detach`` pass the gradient on unchanged; ``no_grad`` is ignored.
    Where values left torch (an image codec, say), the first layer's input counts as the model's input, if it has as
    many numbers.

    Args:
        model: The original.
        to_first_layer: Pass over everything before the first function with learnt parameters, whether autograd could
            follow it or not: for preprocessing whose own gradient misleads.

    Source: Athalye et al. 2018, arXiv:1802.00420, section 4.1 (BPDA, with the identity as the approximation).
    """

    def __init__(self, model: Differentiable, *, to_first_layer: bool = False) -> None:
        self._model, self._to_first_layer = model, to_first_layer

    @property
    def info(self) -> ModelInfo:
        """That of the model."""
        return self._model.info

    @property
    def device(self) -> str:
        """That of the model."""
        return self._model.device

    def forward(self, x: Tensor) -> Tensor:
        """The model's scores (n, classes); the gradient, where one is asked for, passes straight through."""
        if not (torch.is_grad_enabled() and x.requires_grad):
            return self._model.forward(x)
        with _Watch(x, to_first_layer=self._to_first_layer):
            return self._model.forward(x)

    def scores(self, x: np.ndarray) -> np.ndarray:
        """The model's scores (n, classes)."""
        return self._model.scores(x)


class _Watch(TorchFunctionMode):
    """Sees every torch function of one forward pass."""

    def __init__(self, x: Tensor, *, to_first_layer: bool) -> None:
        super().__init__()
        self._x, self._skip = x, to_first_layer
        self._shadows: dict[int, tuple[Tensor, Tensor]] = {}
        """Whole numbers and truth values by id, each with the floating-point tensor that stands for it going back.
        Keeping the first alive keeps its id from being used again."""

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Sequence[type],
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        """What the function gives, tied to the model's input where the function itself cuts the tie."""
        options, name = dict(kwargs or {}), _name(func)
        if name == "_set_grad_enabled":
            return None
        if name in _EXITS:
            return func(*(a.detach() if isinstance(a, Tensor) else a for a in args), **options)
        args = self._at_a_layer(args)
        found = func(*args, **options)
        if not isinstance(found, Tensor) or not _same_rows(found, self._x):
            return found
        if self._cuts(name, found) and isinstance(args[0], Tensor) and args[0].requires_grad:
            return _tie(args[0], found)
        return found if found.requires_grad else self._revive(func, name, args, options, found)

    def _cuts(self, name: str, found: Tensor) -> bool:
        """Whether the function's derivative hides the way: a step, or a clip of what may be the input in disguise."""
        return name in _STEPS or (name in _CLIPS and found.numel() == self._x.numel())

    def _at_a_layer(self, args: tuple[Any, ...]) -> tuple[Any, ...]:
        """Where learnt parameters meet what may be the input in disguise, tie it to the input."""
        if not any(isinstance(a, nn.Parameter) for a in args):
            return args
        first = args[0]
        if isinstance(first, nn.Parameter) or not isinstance(first, Tensor):
            return args
        lost = not first.requires_grad or self._skip
        if lost and _same_rows(first, self._x) and first.numel() == self._x.numel():
            args = (_tie(self._x, first), *args[1:])
        self._skip = False
        return args

    def _revive(
        self,
        func: Callable[..., Any],
        name: str,
        args: tuple[Any, ...],
        options: Mapping[str, Any],
        found: Tensor,
    ) -> Tensor:
        """An answer without gradient: tie it to what it was made from, if that has one."""
        source = self._source(func, name, args, options, found)
        if source is None:
            return found
        if found.is_floating_point():
            return _tie(source, found)
        self._shadows[id(found)] = (found, source)
        return found

    def _source(
        self,
        func: Callable[..., Any],
        name: str,
        args: tuple[Any, ...],
        options: Mapping[str, Any],
        found: Tensor,
    ) -> Tensor | None:
        """What stands for an answer going back: the function of the sources, or a source of its shape."""
        sources = [self._alive(a) for a in args]
        if not any(isinstance(s, Tensor) and s.requires_grad for s in sources):
            return None
        for candidate in _attempts(func, name, sources, options):
            if (
                isinstance(candidate, Tensor)
                and candidate.requires_grad
                and candidate.shape == found.shape
                and candidate.is_floating_point()
            ):
                return candidate
        return None

    def _alive(self, value: Any) -> Any:
        """The floating-point tensor that stands for an argument, or the argument."""
        return self._shadows[id(value)][1] if id(value) in self._shadows else value


def _attempts(
    func: Callable[..., Any], name: str, sources: Sequence[Any], options: Mapping[str, Any]
) -> Iterator[Any]:
    """Candidates for the source of an answer, best first."""
    try:
        if name in _RISING:
            yield sources[0] - sources[1]
        elif name in _FALLING:
            yield sources[1] - sources[0]
        else:
            yield func(*sources, **options)
    except (RuntimeError, TypeError, IndexError):
        pass  # a function of whole numbers alone
    yield from (s for s in sources if isinstance(s, Tensor) and s.requires_grad)
    listed = [s for a in sources if isinstance(a, list | tuple) for s in a]
    yield from (s for s in listed if isinstance(s, Tensor) and s.requires_grad)


def _name(func: Callable[..., Any]) -> str:
    """``round`` for ``torch.round``, ``Tensor.round`` and ``aten.round.default``; no dunder around comparisons."""
    packet = getattr(func, "overloadpacket", func)
    name = str(getattr(packet, "__name__", ""))
    bare = name.strip("_")
    return bare if bare in _RISING | _FALLING else name


def _same_rows(tensor: Tensor, x: Tensor) -> bool:
    return tensor.dim() > 0 and len(tensor) == len(x)


class _Tie(torch.autograd.Function):
    """The second argument, memory layout and all; the gradient goes to the first."""

    @staticmethod
    def forward(ctx: Any, source: Tensor, value: Tensor) -> Tensor:
        ctx.shape, ctx.dtype = source.shape, source.dtype
        return value.detach().clone()

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, None]:
        return grads[0].reshape(ctx.shape).to(ctx.dtype), None


def _tie(source: Tensor, value: Tensor) -> Tensor:
    """``value``, with the gradient of ``source``, which has as many numbers."""
    tie: Callable[[Tensor, Tensor], Tensor] = _Tie.apply
    return tie(source, value)
