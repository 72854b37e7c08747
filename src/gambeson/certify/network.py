"""A network as certificates see it: affine maps and rectifiers in order, in float64."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

import torch
from torch import Tensor

Apply = Callable[[Tensor], Tensor]


@dataclass(frozen=True, slots=True)
class LinearMap:
    """A linear map L of rows (m, *in) to rows (m, *out).

    Attributes:
        apply: L x.
        spread: |L| x, with the magnitude of every coefficient.
        back: Lᵀ a; ``None`` where autograd finds it from ``apply``.
    """

    apply: Apply
    spread: Apply
    back: Apply | None = None

    def transpose(self, a: Tensor, shape: tuple[int, ...]) -> Tensor:
        """Lᵀ a for rows a (m, *out); ``shape`` is that of one input row."""
        if self.back is not None:
            return self.back(a)
        zeros = torch.zeros(len(a), *shape, dtype=a.dtype)
        pulled: Tensor = torch.func.vjp(self.apply, zeros)[1](a)[0]
        return pulled


@dataclass(frozen=True, slots=True)
class Affine:
    """y = L₁ x₁ + L₂ x₂ + ... + shift.

    Attributes:
        maps: One for each input.
        shift: (1, *out), or ``None`` for 0; a builder expands what broadcasts to it.
        terms: Numbers added up in one output; rounding grows with it.
        rough: Magnitude of what cancels inside ``shift`` (1, *out), where that is more than ``shift`` itself.
        mixes: Whether an output depends on several values of one input.
    """

    maps: tuple[LinearMap, ...]
    shift: Tensor | None = None
    terms: int = 1
    rough: Tensor | None = None
    mixes: bool = False

    def __call__(self, *rows: Tensor) -> Tensor:
        """The output for rows (m, *in) of each input."""
        total = _total(m.apply(x) for m, x in zip(self.maps, rows, strict=True))
        return total if self.shift is None else total + self.shift

    def spread(self, *rows: Tensor) -> Tensor:
        """|L₁| x₁ + |L₂| x₂ + ..."""
        return _total(m.spread(x) for m, x in zip(self.maps, rows, strict=True))


def _total(parts: Iterable[Tensor]) -> Tensor:
    first, *rest = parts
    return sum(rest, first)


class Rectifier:
    """y = max(x, 0)."""


@dataclass(frozen=True, slots=True)
class Node:
    """One value of the network.

    Attributes:
        op: How it comes about; ``None`` for the input of the network.
        inputs: Numbers of the nodes that it comes from.
        shape: Without the batch axis.
    """

    op: Affine | Rectifier | None
    inputs: tuple[int, ...]
    shape: tuple[int, ...]

    @property
    def size(self) -> int:
        """Number of values."""
        return math.prod(self.shape)


@dataclass(frozen=True, slots=True)
class Network:
    """Nodes in an order in which each comes after its inputs.

    Attributes:
        nodes: The first is the input, the last the scores before any softmax.
        slack: Margin below which a float32 softmax at the end could make a tie; 0 where there is none.
    """

    nodes: tuple[Node, ...]
    slack: float = 0.0

    def __call__(self, x: Tensor) -> Tensor:
        """Scores (n, k) of inputs (n, *shape), in float64."""
        values: list[Tensor] = [x.double()]
        for node in self.nodes[1:]:
            inputs = [values[i] for i in node.inputs]
            values.append(node.op(*inputs) if isinstance(node.op, Affine) else inputs[0].clamp_min(0))
        return values[-1]

    @property
    def rectified(self) -> tuple[int, ...]:
        """Numbers of the nodes that a rectifier takes, each once, in order."""
        return tuple(sorted({n.inputs[0] for n in self.nodes if isinstance(n.op, Rectifier)}))

    def products(self, node: int) -> int:
        """Multiplications that one linear function of a node costs on its way back to the input."""
        above = {node}
        for number in range(node, 0, -1):
            if number in above:
                above |= set(self.nodes[number].inputs)
        ops = [(self.nodes[i].op, self.nodes[i].size) for i in above]
        return sum(op.terms * size if isinstance(op, Affine) else size for op, size in ops)


class Builder:
    """Grows a network node by node; a node is known by its number."""

    def __init__(self, shape: tuple[int, ...]) -> None:
        self.nodes: list[Node] = [Node(None, (), shape)]

    def affine(self, op: Affine, inputs: tuple[int, ...]) -> int:
        """Add an affine node."""
        rows = [torch.zeros(1, *self.nodes[i].shape, dtype=torch.float64) for i in inputs]
        shape = tuple(op(*rows).shape[1:])
        shift, rough = (None if v is None else v.expand(1, *shape) for v in (op.shift, op.rough))
        return self._add(Node(replace(op, shift=shift, rough=rough), inputs, shape))

    def rectify(self, number: int) -> int:
        """Add max(x, 0)."""
        return self._add(Node(Rectifier(), (number,), self.nodes[number].shape))

    def _add(self, node: Node) -> int:
        self.nodes.append(node)
        return len(self.nodes) - 1
