"""Loads settings: defaults, then the file, then the environment."""

from __future__ import annotations

import dataclasses
import re
import tomllib
import typing
from collections.abc import Mapping
from pathlib import Path

from gambeson.core.errors import UsageError
from gambeson.settings.checking import Source, settings_from, unknown
from gambeson.settings.paths import factory_from_here, seen_from_here
from gambeson.settings.values import Settings

_LARGEST = 1 << 20
_WHOLE = re.compile(r"-?[0-9]{1,18}")
_NOT_SETTINGS = {
    "GAMBESON_DATA",
    "GAMBESON_DEBUG",
    "GAMBESON_KEYRING",
    "GAMBESON_LEDGER",
    "GAMBESON_PIECES",
    "GAMBESON_STORE",
}
_TABLES = ("model", "data", "audit", "gate")


def load_settings(path: Path | None, environ: Mapping[str, str]) -> Settings:
    """Settings of a file with the environment on top.

    Relative paths in the file are relative to its folder.

    Args:
        path: A gambeson.toml, or ``None`` for the defaults.
        environ: Environment; ``GAMBESON_AUDIT_PROFILE=quick`` sets ``profile`` of ``[audit]``.

    Raises:
        UsageError: The file cannot be read or is no TOML; a key is unknown; a value is wrong.
    """
    settings = Settings() if path is None else _from_file(path)
    return overlay(settings, _variables(environ), Source("environment", call=_variable))


def overlay(settings: Settings, tree: Mapping[str, Mapping[str, object]], source: Source) -> Settings:
    """Settings with other values on top.

    Args:
        settings: What is below.
        tree: Tables and keys as in the file, except ``threat`` and ``suppress``; a key that is not there changes
            nothing.
        source: Where the values come from, for messages.

    Raises:
        UsageError: An unknown key, or a wrong value.
    """
    given = settings_from(tree, source)
    tables = {
        table: dataclasses.replace(
            getattr(settings, table), **{key: getattr(getattr(given, table), key) for key in values}
        )
        for table, values in tree.items()
    }
    return dataclasses.replace(settings, **tables)


def _from_file(path: Path) -> Settings:
    try:
        raw = path.read_bytes()[: _LARGEST + 1]
    except OSError as error:
        raise UsageError(
            f"The configuration {path} cannot be read: {error.strerror}.",
            remedy="write one with gambeson init",
        ) from None
    if len(raw) > _LARGEST:
        raise UsageError(f"{path} is larger than 1 MiB: that is no configuration.")
    try:
        text = raw.decode("utf-8")
        tree = tomllib.loads(text)
    except (ValueError, RecursionError) as error:  # no UTF-8, no TOML, a number of thousands of digits
        raise UsageError(f"{path} is no valid TOML: {error}.") from None
    return _beside(settings_from(tree, Source(str(path), text)), path.parent)


def _beside(settings: Settings, folder: Path) -> Settings:
    """Settings of a file in ``folder``, their relative paths as seen from here."""
    model, data, audit = settings.model, settings.data, settings.audit
    path = model.path and seen_from_here(model.path, folder)
    other = model.surrogate and seen_from_here(model.surrogate, folder)
    factory, its = (
        name and factory_from_here(name, folder) for name in (model.factory, model.surrogate_factory)
    )
    return dataclasses.replace(
        settings,
        model=dataclasses.replace(model, path=path, factory=factory, surrogate=other, surrogate_factory=its),
        data=dataclasses.replace(data, path=data.path and seen_from_here(data.path, folder)),
        audit=dataclasses.replace(audit, out=seen_from_here(audit.out, folder)),
    )


def _variable(key: str) -> str:
    """The variable that sets a dotted key."""
    return "GAMBESON_" + key.split("[")[0].replace(".", "_").upper()


def _keys() -> dict[str, tuple[str, str]]:
    """Environment variable to table and key, for every single value."""
    known = {}
    for table in _TABLES:
        kind = typing.get_type_hints(Settings)[table]
        for name, hint in typing.get_type_hints(kind).items():
            if typing.get_args(hint)[:1] != (tuple[str, str],):
                known[_variable(f"{table}.{name}")] = (table, name)
    return known


def _variables(environ: Mapping[str, str]) -> dict[str, dict[str, object]]:
    """What the environment sets, as tables and keys."""
    known = _keys()
    tree: dict[str, dict[str, object]] = {}
    for variable, value in environ.items():
        if variable.startswith("GAMBESON_") and variable not in _NOT_SETTINGS:
            if variable not in known:
                raise unknown(variable, variable, tuple(known), Source("environment"))
            table, name = known[variable]
            tree.setdefault(table, {})[name] = _typed(value, table, name)
    return tree


def _typed(value: str, table: str, name: str) -> object:
    """Text as the field's type, where it can be read so; the check of types says the rest."""
    hint = typing.get_type_hints(typing.get_type_hints(Settings)[table])[name]
    if typing.get_origin(hint) is tuple:
        return [word.strip() for word in value.split(",") if word.strip()]
    kinds = set(typing.get_args(hint)) or {hint}
    return int(value) if int in kinds and _WHOLE.fullmatch(value) else value
