"""Reads a PyTorch model into the network that certificates compute with, and checks what it read."""

from __future__ import annotations

import copy
import operator
import threading
import warnings
from collections.abc import Mapping
from typing import Any, Protocol, runtime_checkable

import torch
from torch import Tensor, fx, nn
from torch.export import ExportedProgram

from gambeson.certify.layers import LAYERS, Value, scaled
from gambeson.certify.network import Affine, Builder, LinearMap, Network
from gambeson.core.errors import Unavailable
from gambeson.models.model import Model
from gambeson.models.passes import Passes

_ROWS = 3
"""Rows of the batch that is traced: no layer has this many of anything by convention."""
_TIE = 1e-5
"""Margin of logits that a float32 softmax or sigmoid still tells from a tie."""
_AGREE = 1e-3
_DEEPEST = -30.0
"""Log-probabilities are compared down to here: float32 probabilities carry no more."""
_ENDS = ("softmax", "log_softmax", "_softmax", "_log_softmax", "sigmoid")
_CHECKS = ("_assert_tensor_metadata",)
"""What export adds to look at shapes and types."""
_TRACING = threading.Lock()


class CallsModule(Protocol):
    """A module and how many rows one call of it takes, ``None`` for any number."""

    @property
    def module(self) -> nn.Module:
        """The module, in evaluation mode; a single score is that of the second class."""

    @property
    def batch(self) -> int | None:
        """Rows of one call."""


@runtime_checkable
class HoldsNetwork(Protocol):
    """A model that shows the PyTorch module it runs."""

    @property
    def network(self) -> CallsModule:
        """The module."""


def read_network(model: Model) -> Network:
    """The network of a model, in float64.

    A softmax, log-softmax or sigmoid at the end is left out: it orders the classes as its argument does.

    Args:
        model: Behind it stands a PyTorch module.

    Raises:
        Unavailable: There is no module, it cannot be traced, or holds a layer that is not supported; the message
            names the layer and those that are.
    """
    if not isinstance(model, HoldsNetwork):
        raise Unavailable(
            f"Bound propagation needs the network itself; {model.info.name} ({model.info.kind}) gives no weights.",
            expected="a PyTorch model",
            remedy="certify it by randomised smoothing, which needs labels only",
        )
    rows = model.network.batch or _ROWS
    program = _traced(model.network.module, (rows, *model.info.shape))
    builder = Builder(model.info.shape)
    scores, slack = _Reader(program, builder, rows).read()
    scores = _as_classes(builder, scores, model.info.classes)
    return Network(tuple(builder.nodes[: scores + 1]), slack)


def check_network(network: Network, passes: Passes, x: Tensor) -> None:
    """Hold the network that was read against the model itself.

    Args:
        network: What was read.
        passes: The model.
        x: (n, *shape) inputs to compare on.

    Raises:
        Unavailable: They answer differently.
        ModelError: The model answered with something unusable.
    """
    ours = network(x).log_softmax(1).clamp_min(_DEEPEST)
    theirs = passes.scores(x.to(passes.device)).cpu().double().log_softmax(1).clamp_min(_DEEPEST)
    worst = float((ours - theirs).abs().max())
    if not worst <= _AGREE * max(1.0, float(theirs.abs().max())):
        raise Unavailable(
            f"The network read from {passes.model.info.name} answers differently from the model itself "
            f"(log-probabilities differ by up to {worst:.3g}).",
            expected="a model whose answers depend on its input alone, in float32",
            remedy="certify it by randomised smoothing, which needs labels only",
        )


def _traced(module: nn.Module, shape: tuple[int, ...]) -> ExportedProgram:
    """The operators of a module; a copy is traced, as tracing swaps its weights for a moment."""
    with _TRACING, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            with torch.no_grad():
                program = torch.export.export(
                    copy.deepcopy(module).cpu(), (torch.zeros(shape),), strict=False
                )
                if any(_is_mutable(node) for node in program.graph.nodes):
                    program = program.run_decompositions({})
        except Exception as error:
            first = (str(error).strip() or type(error).__name__).splitlines()[0]
            raise Unavailable(
                f"torch.export cannot write this network down: {first}",
                expected="a network without control flow that depends on its input",
                remedy="certify it by randomised smoothing, which needs labels only",
            ) from error
    return program


def _is_mutable(node: fx.Node) -> bool:
    return isinstance(node.target, torch._ops.OpOverload) and node.target._schema.is_mutable


class _Reader:
    """Walks through a program, operator by operator."""

    def __init__(self, program: ExportedProgram, builder: Builder, rows: int) -> None:
        self.program, self.builder, self.rows = program, builder, rows
        self.values: dict[fx.Node, Any] = {}

    def read(self) -> tuple[int, float]:
        """The number of the node of the scores, and the slack that the end of the network needs."""
        self._inputs()
        nodes = [node for node in self.program.graph.nodes if node.op == "call_function"]
        (answer, *more) = next(node for node in self.program.graph.nodes if node.op == "output").args[0]
        if more:
            raise Unavailable(f"The network returns {1 + len(more)} values.", expected="one tensor of scores")
        end, slack = (answer.args[0], _TIE) if _name(answer) in _ENDS else (answer, 0.0)
        for node in nodes:
            if node is not answer or end is answer:
                self.values[node] = self._value(node)
        if not isinstance(self.values[end], Value):
            raise Unavailable("The network's answer does not depend on its input.")
        return self.values[end], slack

    def _inputs(self) -> None:
        """Weights and buffers as float64 constants, the one input as node 0."""
        signature = self.program.graph_signature
        owned = {**self.program.state_dict, **self.program.constants}
        places = {
            **signature.inputs_to_parameters,
            **signature.inputs_to_buffers,
            **signature.inputs_to_lifted_tensor_constants,
        }
        for node in self.program.graph.nodes:
            if node.op == "placeholder":
                known = places.get(node.name)
                self.values[node] = Value(0) if known is None else _double(owned[known])

    def _value(self, node: fx.Node) -> Any:
        """What an operator gives: a constant, or the number of a new node."""
        args: Any = fx.map_arg(node.args, lambda n: self.values[n])
        kwargs: Any = fx.map_arg(node.kwargs, lambda n: self.values[n])
        if node.target is operator.getitem:
            return args[0] if isinstance(args[0], Value) and args[1] == 0 else args[0][args[1]]
        if _name(node) in _CHECKS:
            return None
        if not isinstance(node.target, torch._ops.OpOverload):
            raise self._unsupported(node, str(node.target))
        if not any(isinstance(item, Value) for item in (*_flat(args), *_flat(kwargs.values()))):
            return self._constant(node, args, kwargs)
        handler = LAYERS.get(_name(node))
        if handler is None:
            raise self._unsupported(node, _name(node))
        try:
            return Value(handler(self.builder, _by_name(node.target, args, kwargs), self._shape(node)))
        except NotImplementedError as error:
            raise self._unsupported(node, _name(node), f": {error}") from None

    def _constant(self, node: fx.Node, args: Any, kwargs: Any) -> Any:
        if torch.Tag.nondeterministic_seeded in node.target.tags:  # type: ignore[union-attr]
            raise self._unsupported(node, _name(node), ", which draws at random")
        return _double(node.target(*args, **kwargs))  # type: ignore[operator]

    def _shape(self, node: fx.Node) -> tuple[int, ...]:
        value = node.meta["val"]
        shape = (value[0] if isinstance(value, tuple | list) else value).shape
        if not shape or shape[0] != self.rows:
            raise NotImplementedError("it mixes the rows of a batch")
        return tuple(int(size) for size in shape[1:])

    def _unsupported(self, node: fx.Node, what: str, why: str = "") -> Unavailable:
        stack = list((node.meta.get("nn_module_stack") or {}).values())
        path, kind = stack[-1] if stack else ("", "")
        where = f" in {path!r} ({str(kind).rpartition('.')[2]})" if path else ""
        return Unavailable(
            f"Bound propagation does not know {what}{where}{why}.",
            expected=", ".join(sorted(name for name in LAYERS if not name.startswith("_"))),
            remedy="certify the model by randomised smoothing, which needs labels only",
        )


def _as_classes(builder: Builder, scores: int, classes: int) -> int:
    """One score per class; a single score z, that of the second class, becomes -z/2 and z/2."""
    node = builder.nodes[scores]
    if node.size == 1 and classes == 2:
        halves = torch.tensor([[-0.5], [0.5]], dtype=torch.float64)
        flat = LinearMap(
            lambda z: z.reshape(len(z), 1) @ halves.T, lambda z: z.reshape(len(z), 1) @ halves.abs().T
        )
        return builder.affine(Affine((flat,), terms=2, mixes=True), (scores,))
    if node.shape != (classes,):
        raise Unavailable(f"The network answers with shape {node.shape}.", expected=f"({classes},)")
    # the scores must be the last node and nobody else's input
    return builder.affine(Affine((scaled(1.0),)), (scores,))


def _name(node: fx.Node) -> str:
    """ATen name of an operator without namespace and overload; empty for what is none."""
    if not isinstance(node.target, torch._ops.OpOverload):
        return ""
    return str(node.target._schema.name).rpartition("::")[2]


def _by_name(target: Any, args: Any, kwargs: Mapping[str, Any]) -> dict[str, Any]:
    """Arguments by the names of the operator's schema, defaults included."""
    schema = target._schema.arguments
    given = {item.name: item.default_value for item in schema if item.has_default_value()}
    return {**given, **dict(zip((item.name for item in schema), args, strict=False)), **kwargs}


def _flat(items: Any) -> list[Any]:
    """Items, those of lists and tuples included."""
    found = []
    for item in items:
        found += _flat(item) if isinstance(item, list | tuple) else [item]
    return found


def _double(value: Any) -> Any:
    return value.detach().cpu().double() if isinstance(value, Tensor) and value.is_floating_point() else value
