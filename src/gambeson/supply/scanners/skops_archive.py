"""skops: every type and function that its description names must be on the list of known ones."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from gambeson.core.finding import Finding
from gambeson.supply.expanding import Bomb, expanded
from gambeson.supply.pickle_globals import Standing, judge_global
from gambeson.supply.scanner import ScannerFacts, Visit, scanners
from gambeson.supply.sniffing import Format
from gambeson.supply.zip_directory import METHODS, BrokenZip, expand, read_directory

_SCHEMA = "schema.json"
_LONGEST = 64 << 20
_MOST = 20
_LOADERS = frozenset((
    "BytearrayNode", "BytesNode", "CachedNode", "ConstructorFromReduceNode", "DTypeNode", "DefaultDictNode", "DictNode",
    "FunctionNode", "JsonNode", "ListNode", "LossNode", "MaskedArrayNode", "MethodNode", "NdArrayNode", "ObjectNode",
    "OperatorFuncNode", "PartialNode", "QuantileForestNode", "RandomGeneratorNode", "RandomStateNode", "ReduceNode",
    "SGDNode", "SetNode", "SliceNode", "SparseMatrixNode", "TreeNode", "TupleNode", "TypeNode",
))  # fmt: skip
_LISTED = {("builtins", "method"), ("builtins", "function"), ("functools", "partial"), ("builtins", "type")}


@scanners.register("skops", ScannerFacts((Format.SKOPS,), "types and functions that a skops file names"))
def scan_skops(visit: Visit) -> Iterator[Finding]:
    """Everything that is wrong with the description."""
    try:
        entries = [entry for entry in read_directory(visit.content).entries if entry.name == _SCHEMA]
    except BrokenZip:
        return
    for entry in entries:
        if entry.data < 0 or entry.method not in METHODS or entry.expanded > _LONGEST:
            yield visit.hit("scan.skops.broken", "schema.json cannot be opened")
            continue
        try:
            with expanded(visit, entry.packed, expand(visit.content, entry)) as out:
                text = out.content.read(0, _LONGEST)
            value = json.loads(text)
        except (Bomb, ValueError, RecursionError) as error:
            yield visit.hit("scan.skops.broken", f"schema.json: {type(error).__name__}")
            continue
        yield from _judge(visit, value)


def _judge(visit: Visit, value: Any) -> Iterator[Finding]:
    seen: set[str] = set()
    pending = [value]
    while pending and len(seen) < _MOST:
        item = pending.pop()
        if isinstance(item, list):
            pending.extend(item)
        elif isinstance(item, dict):
            pending.extend(item.values())
            for name in _unknown(item):
                if name not in seen:
                    seen.add(name)
                    yield visit.hit("scan.skops.type", name)


def _unknown(node: dict[str, Any]) -> Iterator[str]:
    """Names of a node that are on no list."""
    module, name, loader = node.get("__module__"), node.get("__class__"), node.get("__loader__")
    if isinstance(loader, str) and loader not in _LOADERS:
        yield f"the loader {loader}"
    if isinstance(module, str) and isinstance(name, str) and not _is_known(module, name):
        yield f"{module}.{name}"
    inner = node.get("content")
    reached = inner.get("func") if isinstance(inner, dict) else None
    if isinstance(reached, str) and (reached.startswith("__") or "." in reached):
        yield f"the attribute {reached}"
    if isinstance(inner, dict) and isinstance(inner.get("module_path"), str):
        function = str(inner.get("function"))
        if not _is_known(inner["module_path"], function):
            yield f"{inner['module_path']}.{function}"


def _is_known(module: str, name: str) -> bool:
    return (module, name) in _LISTED or judge_global(module, name) is Standing.ALLOWED
