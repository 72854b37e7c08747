"""Keras configurations: code in Lambda layers, names from outside Keras, files of the reader's machine."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from gambeson.core.finding import Finding
from gambeson.supply.scanner import Visit

_TRUSTED = re.compile(
    r"(keras|tf_keras|tensorflow\.keras|tensorflow\.python\.keras|keras\.src|keras\.api)"
    r"(\.(_tf_keras\.)?(layers|initializers|optimizers|losses|metrics|regularizers|constraints|activations|"
    r"dtype_policies|models|engine|random|src|applications|mixed_precision|trainers|backend|saving|distribution)"
    r"(\.\w+)*)?"
)
_CODE_CLASSES = frozenset(
    {"Lambda", "TorchModuleWrapper", "TFSMLayer", "JaxLayer", "FlaxLayer", "__lambda__"}
)
_VOCABULARIES = frozenset({"vocabulary", "idf_weights", "vocabulary_file"})
_BUILT_IN = frozenset({"function", "builtin_function_or_method", "type", "module", "method"})
_MOST = 20


def judge_config(visit: Visit, value: Any) -> Iterator[Finding]:
    """Findings on a parsed configuration.

    Args:
        visit: The content that it lies in.
        value: JSON as Python values.
    """
    seen: set[tuple[str, str]] = set()
    for rule, detail in _walk(value):
        if (rule, detail) not in seen and len(seen) < _MOST:
            seen.add((rule, detail))
            yield visit.hit(rule, detail)


def _walk(value: Any) -> Iterator[tuple[str, str]]:
    pending = [value]
    while pending:
        item = pending.pop()
        if isinstance(item, list):
            pending.extend(item)
        elif isinstance(item, dict):
            yield from _judge(item)
            pending.extend(item.values())
        elif isinstance(item, str) and item[:1] == "{" and "class_name" in item:
            yield from _nested(item)


def _nested(text: str) -> Iterator[tuple[str, str]]:
    """A configuration as text within another."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        yield "scan.keras.broken", "a configuration within it is no JSON"
        return
    yield from _walk(value)


def _judge(item: dict[str, Any]) -> Iterator[tuple[str, str]]:
    name, module, registered = item.get("class_name"), item.get("module"), item.get("registered_name")
    if isinstance(name, str):
        short = name.rpartition(">")[2]
        if short in _CODE_CLASSES:
            yield "scan.keras.lambda", short
        elif isinstance(module, str) and module == "builtins" and name in _BUILT_IN:
            yield "scan.keras.object", f"the {name} {item.get('config')!r:.80}"
        elif isinstance(module, str) and module != "builtins" and not _TRUSTED.fullmatch(module):
            yield "scan.keras.object", f"{module}.{name}"
        elif isinstance(module, str) and module != "builtins" and not name[:1].isupper() and "config" in item:
            yield "scan.keras.object", f"{module}.{name}, a function"
        elif ">" in name or (isinstance(registered, str) and ">" in registered and not _is_own(registered)):
            yield "scan.keras.object", str(registered or name)
    for key in _VOCABULARIES & item.keys():
        if isinstance(item[key], str) and item[key]:
            yield "scan.keras.path", f"{key}={item[key]!r}"
    if item.get("function_type") == "lambda":
        yield "scan.keras.lambda", "a pickled function"


def _is_own(registered: str) -> bool:
    return registered.partition(">")[0] in ("keras", "keras_nlp", "keras_hub", "keras_cv", "Keras")
