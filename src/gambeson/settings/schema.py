"""The published JSON Schema of gambeson.toml, made from the settings themselves."""

from __future__ import annotations

import dataclasses
import functools
import inspect
import json
import re
import types
import typing
from importlib.resources import files
from typing import Any

from gambeson.settings.rules import ABOVE, CHOICES, DATA_OPTIONS, LEAST
from gambeson.settings.values import Settings

_PLAIN = {str: "string", int: "integer", float: "number"}
_ATTRIBUTE = re.compile(r"^    (\w+): (.+(?:\n {8}.+)*)", re.MULTILINE)


@functools.lru_cache
def config_schema() -> dict[str, Any]:
    """The published JSON Schema (draft 2020-12) of gambeson.toml; unknown keys are invalid."""
    path = files("gambeson.settings") / "schemas" / "config.schema.json"
    schema: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return schema


def generate_schema() -> dict[str, Any]:
    """The JSON Schema that the settings say; what is published is this, and a test keeps them in step."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "gambeson.toml",
        **_object(Settings),
    }


def _object(kind: type[Any]) -> dict[str, Any]:
    hints = typing.get_type_hints(kind)
    fields = dataclasses.fields(kind)
    required = [f.name for f in fields if f.default is dataclasses.MISSING]
    meanings = _meanings(kind)
    schema: dict[str, Any] = {
        "type": "object",
        "additionalProperties": False,
        "properties": {
            f.name: _of(hints[f.name], f.name) | meanings.get(f.name, {}) | _default(f) for f in fields
        },
    }
    for name in required:
        schema["properties"][name]["minLength"] = 1
    return schema | ({"required": required} if required else {})


def _meanings(kind: type[Any]) -> dict[str, dict[str, str]]:
    """What the docstring says of each attribute, for the editors that show it."""
    said = _ATTRIBUTE.findall(inspect.getdoc(kind) or "")
    return {name: {"description": " ".join(text.replace("``", "`").split())} for name, text in said}


def _default(field: dataclasses.Field[Any]) -> dict[str, Any]:
    if isinstance(field.default, str | int | float):
        return {"default": field.default}
    return {"default": list(field.default)} if field.default and isinstance(field.default, tuple) else {}


def _of(kind: Any, name: str) -> dict[str, Any]:
    if dataclasses.is_dataclass(kind):
        return _object(typing.cast("type[Any]", kind))
    origin, inner = typing.get_origin(kind), typing.get_args(kind)
    if origin is tuple and inner[0] == tuple[str, str]:
        return _pairs(name)
    if origin is tuple:
        return {"type": "array", "items": _of(inner[0], name)}
    allowed = inner if origin is types.UnionType else (kind,)
    plain = [_PLAIN[k] for k in allowed if k in _PLAIN]
    schema: dict[str, Any] = {"type": plain[0] if len(plain) == 1 else plain}
    if name in CHOICES:
        schema["enum"] = list(CHOICES[name])
    if name in LEAST:
        schema["minimum"] = LEAST[name]
    if name in ABOVE:
        schema["exclusiveMinimum"] = ABOVE[name]
    return schema


def _pairs(name: str) -> dict[str, Any]:
    """A table whose keys are no attributes: the figures of thresholds, or the options of the data."""
    if name == "thresholds":
        return {"type": "object", "additionalProperties": {"type": "string"}}
    anything: dict[str, Any] = {"type": ["string", "number", "boolean", "array"]}
    options = dict.fromkeys(DATA_OPTIONS, anything)
    return {"type": "object", "additionalProperties": False, "properties": options}
