"""ONNX: operators that need foreign code, and weights kept outside the model's folder."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from gambeson.core.finding import Finding, Severity
from gambeson.supply.protobuf import BYTES, BrokenMessage, Message
from gambeson.supply.scanner import ScannerFacts, Visit, scanners
from gambeson.supply.sniffing import Format

# Field numbers of onnx.proto, message by message.
_MODEL_GRAPH, _MODEL_FUNCTION = 7, 25
_GRAPH_NODE, _GRAPH_TENSOR, _GRAPH_SPARSE = 1, 5, 15
_NODE_OPERATOR, _NODE_ATTRIBUTE, _NODE_DOMAIN = 4, 5, 7
_ATTRIBUTE_TENSOR, _ATTRIBUTE_GRAPH, _ATTRIBUTE_TENSORS, _ATTRIBUTE_GRAPHS = 5, 6, 10, 11
_ATTRIBUTE_SPARSE, _ATTRIBUTE_SPARSES = 22, 23
_FUNCTION_NAME, _FUNCTION_NODE, _FUNCTION_DOMAIN = 1, 7, 10
_TENSOR_EXTERNAL, _ENTRY_KEY, _ENTRY_VALUE = 13, 1, 2
_KNOWN_MODEL = frozenset((1, 2, 3, 4, 5, 6, 7, 8, 14, 20, 25, 26))

_DOMAINS = re.compile(
    r"|ai\.onnx(\.ml|\.training|\.preview(\.training)?)?|com\.microsoft(\.nchwc|\.nhwc|\.experimental)?"
)
_CODE = frozenset(
    {"PyOp", "PythonOp", "PythonOpGrad", "EPContext", "TorchScript", "ATen", "ATenOp", "TritonOp"}
)
_DEEPEST = 32
_MOST = 20


@dataclass(slots=True)
class _Found:
    """Operators by domain and name, functions that the model brings along, and files it reads."""

    operators: dict[tuple[str, str], int] = field(default_factory=dict)
    functions: set[tuple[str, str]] = field(default_factory=set)
    files: dict[str, int] = field(default_factory=dict)
    unknown: list[tuple[int, int]] = field(default_factory=list)


@scanners.register(
    "onnx", ScannerFacts((Format.ONNX,), "operators from outside ONNX, weights from outside the folder")
)
def scan_onnx(visit: Visit) -> Iterator[Finding]:
    """Everything that is wrong with a model."""
    found = _Found()
    try:
        _model(Message(visit.content), found)
    except BrokenMessage as error:
        yield visit.hit("scan.onnx.broken", str(error))
    foreign = [
        (domain, name, at)
        for (domain, name), at in found.operators.items()
        if (domain, name) not in found.functions and (not _DOMAINS.fullmatch(domain) or name in _CODE)
    ]
    for domain, name, at in foreign[:_MOST]:
        yield visit.hit("scan.onnx.operator", f"{domain or 'ai.onnx'}.{name}", offset=at)
    for location, at in list(found.files.items())[:_MOST]:
        if fault := _outside(visit, location):
            yield visit.hit("scan.onnx.path", f"{location!r} {fault}", offset=at)
    for number, at in found.unknown[:1]:
        yield visit.hit(
            "scan.onnx.broken", f"the unknown field {number}", offset=at, severity=Severity.MEDIUM
        )


def _outside(visit: Visit, location: str) -> str:
    """Why a weight file is not simply one in the model's folder; empty where it is."""
    parts = location.replace("\\", "/").split("/")
    if (
        not location
        or ".." in parts
        or parts[0] == ""
        or re.match(r"[A-Za-z][\w+.-]*:", location)
        or "\0" in location
    ):
        return "leads out of the folder"
    if visit.path is None:
        return ""
    folder = visit.path.resolve().parent
    return (
        ""
        if (folder / location).resolve().is_relative_to(folder)
        else "is a link that leads out of the folder"
    )


def _model(message: Message, found: _Found) -> None:
    for item in message.fields():
        if item.number not in _KNOWN_MODEL:
            found.unknown[1:] = [(item.number, item.start)]
        elif item.wire == BYTES and item.number == _MODEL_GRAPH:
            _graph(message.inner(item), found, 0)
        elif item.wire == BYTES and item.number == _MODEL_FUNCTION:
            _function(message.inner(item), found)


def _function(message: Message, found: _Found) -> None:
    name = domain = ""
    for item in message.fields():
        if item.number == _FUNCTION_NAME:
            name = message.text(item)
        elif item.number == _FUNCTION_DOMAIN:
            domain = message.text(item)
        elif item.number == _FUNCTION_NODE and item.wire == BYTES:
            _node(message.inner(item), found, 1)
    found.functions.add((domain, name))


def _graph(message: Message, found: _Found, depth: int) -> None:
    if depth > _DEEPEST:
        raise BrokenMessage("graphs within graphs without an end")
    for item in message.fields():
        if item.wire == BYTES and item.number == _GRAPH_NODE:
            _node(message.inner(item), found, depth)
        elif item.wire == BYTES and item.number == _GRAPH_TENSOR:
            _tensor(message.inner(item), found)
        elif item.wire == BYTES and item.number == _GRAPH_SPARSE:
            _sparse(message.inner(item), found)


def _node(message: Message, found: _Found, depth: int) -> None:
    name = domain = ""
    for item in message.fields():
        if item.number == _NODE_OPERATOR:
            name = message.text(item)
        elif item.number == _NODE_DOMAIN:
            domain = message.text(item)
        elif item.number == _NODE_ATTRIBUTE and item.wire == BYTES:
            _attribute(message.inner(item), found, depth)
    found.operators.setdefault((domain, name), message.start)


def _attribute(message: Message, found: _Found, depth: int) -> None:
    for item in message.fields():
        if item.wire != BYTES:
            continue
        if item.number in (_ATTRIBUTE_GRAPH, _ATTRIBUTE_GRAPHS):
            _graph(message.inner(item), found, depth + 1)
        elif item.number in (_ATTRIBUTE_TENSOR, _ATTRIBUTE_TENSORS):
            _tensor(message.inner(item), found)
        elif item.number in (_ATTRIBUTE_SPARSE, _ATTRIBUTE_SPARSES):
            _sparse(message.inner(item), found)


def _sparse(message: Message, found: _Found) -> None:
    for item in message.fields():
        if item.wire == BYTES and item.number in (1, 2):
            _tensor(message.inner(item), found)


def _tensor(message: Message, found: _Found) -> None:
    for item in message.fields():
        if item.number == _TENSOR_EXTERNAL and item.wire == BYTES:
            entry = message.inner(item)
            words = {pair.number: entry.text(pair) for pair in entry.fields() if pair.wire == BYTES}
            if words.get(_ENTRY_KEY) == "location":
                found.files.setdefault(words.get(_ENTRY_VALUE, ""), item.start)
