"""Digits and the small network of the fixtures, as checks of pictures see them."""

from __future__ import annotations

from dataclasses import replace

import gambeson as gb
from gambeson.audit.base import PROFILES, CheckContext, checks
from gambeson.core.reproduce import Seed
from gambeson.core.threat import Norm, ThreatModel

DIGITS = gb.open_dataset("builtin:digits")


def open_net(folder):
    """The network of the ``digits_net`` fixture."""
    path, factory = str(folder / "net.safetensors"), f"{folder / 'net.py'}:build"
    return gb.open_model(path, schema=DIGITS.schema, factory=factory)


def picture_context(check: str, model, **changes) -> CheckContext:
    """A quick look at 60 digits, linf 0.15."""
    effort = replace(PROFILES["quick"], samples=60, steps=10, queries=100, records=200)
    made = CheckContext(
        check,
        model,
        DIGITS,
        ThreatModel(Norm.LINF, 0.15),
        effort,
        Seed(0).child(check),
        command="gambeson audit",
    )
    return replace(made, **changes)


def ask(check: str, model, **changes):
    """The one finding of a check."""
    (finding,) = checks[check].plugin(picture_context(check, model, **changes))
    return finding


def value(finding, name: str) -> float:
    """A figure's value."""
    return finding.measurement(name).value
