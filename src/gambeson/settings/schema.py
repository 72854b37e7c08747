"""The published JSON Schema of gambeson.toml, made from the settings themselves."""

from __future__ import annotations

import dataclasses
import types
import typing
from typing import Any

from gambeson.core.finding import Severity
from gambeson.core.threat import Access, Norm
from gambeson.settings.values import Settings

_PLAIN = {str: "string", int: "integer", float: "number"}
_CHOICES: dict[str, list[str]] = {
    "norm": list(Norm),
    "access": list(Access),
    "profile": ["quick", "standard", "thorough"],
    "scores": ["logits", "probabilities"],
    "fail_on": ["never", *Severity],
    "formats": ["json", "html", "sarif", "junit"],
}


def config_schema() -> dict[str, Any]:
    """JSON Schema (draft 2020-12) of gambeson.toml; unknown keys are invalid."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "gambeson.toml",
        **_object(Settings),
    }


def _object(kind: type[Any]) -> dict[str, Any]:
    hints = typing.get_type_hints(kind)
    fields = dataclasses.fields(kind)
    required = [f.name for f in fields if f.default is dataclasses.MISSING]
    schema: dict[str, Any] = {
        "type": "object",
        "additionalProperties": False,
        "properties": {f.name: _of(hints[f.name], f.name) for f in fields},
    }
    return schema | ({"required": required} if required else {})


def _of(kind: Any, name: str) -> dict[str, Any]:
    if dataclasses.is_dataclass(kind):
        return _object(typing.cast("type[Any]", kind))
    origin, inner = typing.get_origin(kind), typing.get_args(kind)
    if origin is tuple and inner[0] == tuple[str, str]:
        return {"type": "object", "additionalProperties": {"type": ["string", "number", "boolean", "array"]}}
    if origin is tuple:
        return {"type": "array", "items": _of(inner[0], name)}
    kinds = inner if origin is types.UnionType else (kind,)
    plain = [_PLAIN[k] for k in kinds if k in _PLAIN]
    schema: dict[str, Any] = {"type": plain[0] if len(plain) == 1 else plain}
    return schema | ({"enum": _CHOICES[name]} if name in _CHOICES else {})
