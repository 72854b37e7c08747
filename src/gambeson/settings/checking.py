"""Turns what a TOML file or the environment says into settings; every complaint names file, key and remedy."""

from __future__ import annotations

import dataclasses
import difflib
import types
import typing
from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

from gambeson.core.errors import UsageError
from gambeson.settings.places import line_of
from gambeson.settings.rules import CHOICES, DATA_OPTIONS, check_value
from gambeson.settings.values import Settings


def build(value: object, kind: Any, key: str, source: Source) -> Any:
    """The value as the type of its field.

    Args:
        value: As the file gives it.
        kind: The field's type.
        key: Dotted key, for messages.
        source: Where it stands.

    Raises:
        UsageError: An unknown key, or a value of another type.
    """
    if dataclasses.is_dataclass(kind):
        return _table(value, typing.cast("type[Any]", kind), key, source)
    origin, inner = typing.get_origin(kind), typing.get_args(kind)
    if origin is tuple and inner[0] == tuple[str, str]:
        return _pairs(value, key, source)
    if origin is tuple:
        if not isinstance(value, list):
            tables = dataclasses.is_dataclass(inner[0])
            raise source.wrong(key, value, f"tables, [[{key}]]" if tables else 'a list, ["...", "..."]')
        return tuple(build(item, inner[0], f"{key}[{i}]", source) for i, item in enumerate(value))
    return _single(value, inner if origin is types.UnionType else (kind,), key, source)


_WORDS = {str: "a string", int: "a whole number", float: "a number"}


def _single(value: object, allowed: tuple[Any, ...], key: str, source: Source) -> object:
    """A string or a number as one of the allowed types; a date is taken as text, an integer as a number."""
    if isinstance(value, date) and str in allowed:
        value = value.isoformat()[:10]
    if isinstance(value, int) and not isinstance(value, bool) and int not in allowed and float in allowed:
        value = float(value)
    if isinstance(value, bool) or not isinstance(value, tuple(t for t in allowed if t in _WORDS)):
        raise source.wrong(key, value, " or ".join(_WORDS[t] for t in allowed if t in _WORDS))
    _check(key, value, source)
    return value


def _check(key: str, value: object, source: Source) -> None:
    name = key.split(".")[-1].split("[")[0]
    try:
        check_value(name, value)
    except UsageError as error:
        near = difflib.get_close_matches(str(value), CHOICES.get(name, ()), n=1)
        raise UsageError(
            f"{source.at(key)}{source.call(key)} is {value!r}.",
            expected=error.expected,
            remedy=f"did you mean {near[0]!r}?" if near else "",
        ) from None


@dataclasses.dataclass(frozen=True, slots=True)
class Source:
    """Where settings come from.

    Attributes:
        name: File name, for messages; empty where the name of a key says it all.
        text: Its content, to find the line of a key.
        call: What its author calls a dotted key: ``GAMBESON_AUDIT_SEED`` in the environment.
    """

    name: str
    text: str = ""
    call: Callable[[str], str] = str

    def at(self, key: str) -> str:
        """``file:line: `` of a key, without the line where it has none; nothing for a source without name."""
        line = line_of(self.text, key)
        return f"{self.name}{'' if line is None else f':{line}'}: " if self.name else ""

    def wrong(self, key: str, value: object, expected: str) -> UsageError:
        """The complaint about a value of the wrong type."""
        return UsageError(f"{self.at(key)}{self.call(key)} is {value!r}.", expected=expected)


def _table(value: object, kind: type[Any], key: str, source: Source) -> Any:
    if not isinstance(value, Mapping):
        raise source.wrong(key, value, f"a table, [{key}]")
    fields = {field.name: field for field in dataclasses.fields(kind)}
    for name in value:
        if name not in fields:
            raise unknown(f"{key}.{name}" if key else name, name, tuple(fields), source)
    for name, field in fields.items():
        if field.default is dataclasses.MISSING and not str(value.get(name, "")).strip():
            raise UsageError(f"{source.at(key)}{key} has no {name}.", expected=f"{name} = ...; never empty")
    hints = typing.get_type_hints(kind)
    made = {
        name: build(item, hints[name], f"{key}.{name}" if key else name, source)
        for name, item in value.items()
    }
    return kind(**made)


def unknown(key: str, name: str, known: tuple[str, ...], source: Source) -> UsageError:
    """The complaint about a key that nobody reads."""
    near = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
    return UsageError(
        f"{source.at(key)}unknown key {key!r}.",
        expected=", ".join(known),
        remedy=f"did you mean {near[0]!r}?" if near else "",
    )


def _pairs(value: object, key: str, source: Source) -> tuple[tuple[str, str], ...]:
    if not isinstance(value, Mapping):
        raise source.wrong(key, value, f"a table, [{key}]")
    rules = key.endswith("thresholds")
    for name, item in value.items():
        if rules and not isinstance(item, str):
            raise source.wrong(
                f"{key}.{name}", item, 'a rule, "<check>.<figure>" = ">= 0.4", its name in quotes'
            )
        if not rules and name not in DATA_OPTIONS:
            raise unknown(f"{key}.{name}", name, DATA_OPTIONS, source)
        if isinstance(item, Mapping):
            raise source.wrong(f"{key}.{name}", item, "a string, a number or a list")
    return tuple((name, _text(item)) for name, item in value.items())


def _text(value: object) -> str:
    """An option as the command line would write it."""
    if isinstance(value, list):
        return ",".join(str(item) for item in value)
    return str(value).lower() if isinstance(value, bool) else str(value)


def settings_from(tree: Mapping[str, Any], source: Source) -> Settings:
    """Settings of a parsed TOML file.

    Raises:
        UsageError: An unknown key, or a value of another type.
    """
    settings: Settings = build(tree, Settings, "", source)
    return settings
