"""From the flags of ``gambeson ownership`` to its commands."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import Any

from gambeson.core.errors import UsageError
from gambeson.core.threat import Access
from gambeson.interfaces.cli.words import data_options, whole_number
from gambeson.service.owning import MarkCommand, OwnershipCommand

_TEXTS = ("factory", "suspect_factory", "scores", "split", "train_split", "triggers", "out")
_NUMBERS = {"classes": 2, "train": 0, "inputs": 1, "seed": 0, "batch_size": 1, "count": 1, "passes": 1}
"""Least value of each whole number."""


def ownership_command(flags: Mapping[str, Any]) -> OwnershipCommand:
    """The test that the flags ask for.

    Args:
        flags: Value of every parameter of ``gambeson ownership verify`` by name; ``None`` for what was not given.

    Raises:
        UsageError: Data is missing, or a value makes no sense.
    """
    given = _given(flags)
    if flags["access"] is not None:
        given["access"] = Access.parse(flags["access"])
    if flags["alpha"] is not None:
        given["alpha"] = _share("--alpha", flags["alpha"])
    return OwnershipCommand(suspect=flags["suspect"], references=tuple(flags["reference"] or ()), **given)


def mark_command(flags: Mapping[str, Any]) -> MarkCommand:
    """The marking that the flags ask for; its secret comes from the system unless a seed is given.

    Args:
        flags: Value of every parameter of ``gambeson ownership mark`` by name; ``None`` for what was not given.

    Raises:
        UsageError: Data is missing, or a value makes no sense.
    """
    given = _given(flags)
    return MarkCommand(**{"seed": secrets.randbits(63), **given})


def _given(flags: Mapping[str, Any]) -> dict[str, Any]:
    """What both commands share."""
    if flags["data"] is None:
        raise UsageError("No data was given.", expected="--data DATA")
    found: dict[str, Any] = {
        "model": flags["model"],
        "data": flags["data"],
        "data_options": data_options(flags["data_option"], flags["label"]),
    }
    found |= {name: flags[name] for name in _TEXTS if flags.get(name) is not None}
    for name, least in _NUMBERS.items():
        if flags.get(name) is not None:
            flag = "--" + name.replace("_", "-")
            found[name] = whole_number(flag, flags[name])
            if found[name] < least:
                raise UsageError(f"{flag} is {found[name]}.", expected=f"at least {least}")
    return found


def _share(flag: str, text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 < value < 1:
        raise UsageError(f"{flag} is {text!r}.", expected="a number between 0 and 1")
    return value
