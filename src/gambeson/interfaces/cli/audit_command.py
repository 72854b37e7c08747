"""From the flags of ``gambeson audit`` to its command: defaults < gambeson.toml < GAMBESON_* < flags."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from gambeson.interfaces.cli.words import data_options, split_words, threshold, whole_number
from gambeson.service.commands import AuditCommand
from gambeson.service.configuring import to_command
from gambeson.settings import Settings, Source, ThreatSettings, build, load_settings, overlay
from gambeson.settings.rules import CHOICES

_DEFAULT_FILE = Path("gambeson.toml")
_KEYS = {
    "model": ("factory", "scores", "classes", "surrogate", "surrogate_factory"),
    "data": ("split", "train_split"),
    "audit": (
        "profile",
        "samples",
        "seed",
        "time_budget",
        "only",
        "skip",
        "batch_size",
        "jobs",
        "out",
        "formats",
    ),
    "gate": ("fail_on",),
}
_ATTACKER = ("norm", "eps", "access", "queries", "freeze", "categories")
_NUMBERS = ("classes", "samples", "seed", "batch_size", "jobs", "queries", "categories")
_NAMES = {"formats": "--format"}


def audit_command(flags: Mapping[str, Any], environ: Mapping[str, str]) -> AuditCommand:
    """The audit that file, environment and flags describe.

    Args:
        flags: Value of every parameter of ``gambeson audit`` by name; ``None`` for what was not given.
        environ: Environment.

    Raises:
        UsageError: Model or data is missing, or a value makes no sense.
    """
    source = Source("", call=_flag)
    settings = _settings(flags, environ)
    tree = {table: _given(flags, keys) for table, keys in _KEYS.items()}
    settings = overlay(settings, tree, source)
    options = dict(settings.data.options) | dict(data_options(flags["data_option"], flags["label"]))
    rules = tuple(threshold(text) for text in flags["threshold"] or ())
    settings = replace(
        settings,
        data=replace(settings.data, options=tuple(options.items())),
        threat=_threats(settings.threat, _given(flags, _ATTACKER), source),
        gate=replace(settings.gate, thresholds=settings.gate.thresholds + rules),
    )
    return replace(to_command(settings), resume=flags["resume"])


def _settings(flags: Mapping[str, Any], environ: Mapping[str, str]) -> Settings:
    """Settings of file and environment, about the model and the data of the command line.

    What the file says of its own model or data is not said of another one.
    """
    file = flags["config"] or (_DEFAULT_FILE if _DEFAULT_FILE.is_file() else None)
    settings, alone = load_settings(file, environ), load_settings(None, environ)
    model, data = flags["model"], flags["data"]
    if model is not None and not _same(model, settings.model.path):
        settings = replace(settings, model=replace(alone.model, path=model))
    if data is not None and not _same(data, settings.data.path):
        settings = replace(settings, data=replace(alone.data, path=data))
    return settings


def _same(path: str, other: str | None) -> bool:
    return other is not None and os.path.normpath(path) == os.path.normpath(other)


def _given(flags: Mapping[str, Any], names: tuple[str, ...]) -> dict[str, object]:
    """The flags that were given, as a file would say them."""
    found: dict[str, object] = {}
    for name in names:
        value = flags[name]
        if isinstance(value, list):
            value = list(split_words(value) or ()) or None
        if name in CHOICES and isinstance(value, str):
            value = value.lower()
        if name in _NUMBERS and value is not None:
            value = whole_number(_flag(name), value)
        if value is not None:
            found[name] = str(value) if isinstance(value, Path) else value
    return found


def _threats(
    below: tuple[ThreatSettings, ...], given: dict[str, object], source: Source
) -> tuple[ThreatSettings, ...]:
    """Every attacker of the settings with the flags on top; the default one where there is none."""
    flags = build(given, ThreatSettings, "", source)
    changes = {name: getattr(flags, name) for name in given}
    return tuple(replace(threat, **changes) for threat in below or (ThreatSettings(),))


def _flag(key: str) -> str:
    """The flag that sets a dotted key."""
    name = key.split(".")[-1].split("[")[0]
    return _NAMES.get(name, "--" + name.replace("_", "-"))
