"""From the flags of ``gambeson harden`` to its command."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from gambeson.core.errors import UsageError
from gambeson.defenses.private.base import private_recipes
from gambeson.defenses.training.plan import Plan
from gambeson.interfaces.cli.audit_command import audit_command
from gambeson.interfaces.cli.words import number, parameters, split_words, whole_number
from gambeson.service.hardening_commands import HardenCommand
from gambeson.settings.parsing import parse_duration

_AUDIT_ONLY = (
    "access",
    "queries",
    "surrogate",
    "surrogate_factory",
    "skip",
    "time_budget",
    "jobs",
    "formats",
    "fail_on",
    "threshold",
    "out",
)
"""Flags of an audit that hardening does not have, or uses for something else."""
_NUMBERS = ("learning_rate", "weight_decay", "ramp", "average", "perturbation")
PRIVATE = "private"
"""The recipe that an epsilon is for where none is named."""
_PROMISE = ("epsilon", "delta")
_WHOLE = {"epochs": "epochs", "train_batch": "batch", "members": "members"}


def harden_command(flags: Mapping[str, Any], environ: Mapping[str, str]) -> HardenCommand:
    """The hardening that file, environment and flags describe.

    Args:
        flags: Value of every parameter of ``gambeson harden`` by name; ``None`` for what was not given.
        environ: Environment.

    Raises:
        UsageError: Model or data is missing, or a value makes no sense.
    """
    audit = audit_command({**flags, **dict.fromkeys(_AUDIT_ONLY), "resume": False}, environ)
    given: dict[str, Any] = {
        field: whole_number(_flag(name), flags[name])
        for name, field in _WHOLE.items()
        if flags[name] is not None
    }
    if flags["time_budget"] is not None:
        given["budget"] = parse_duration(flags["time_budget"])
    if flags["out"] is not None:
        given["out"] = flags["out"]
    named = split_words(flags["recipe"])
    promise = _promise(flags, named or (PRIVATE,))
    if named or promise:
        given["recipes"] = named or (PRIVATE,)
    return HardenCommand(
        audit=audit,
        parameters=(*promise, *parameters(flags["param"])),
        fresh=flags["fresh"],
        plan=_plan(flags),
        resume=flags["resume"],
        **given,
    )


def _promise(flags: Mapping[str, Any], named: tuple[str, ...]) -> tuple[tuple[str, object], ...]:
    """Epsilon and delta as parameters of each recipe that keeps a promise."""
    given = {name: number(_flag(name), flags[name]) for name in _PROMISE if flags[name] is not None}
    private = [name for name in named if name in private_recipes]
    if given and not private:
        raise UsageError(
            f"--epsilon and --delta are promised by no recipe among {', '.join(named)}.",
            expected=", ".join(private_recipes.names()),
        )
    return tuple((f"{recipe}.{name}", value) for recipe in private for name, value in given.items())


def _plan(flags: Mapping[str, Any]) -> Plan:
    changes: dict[str, Any] = {
        name: number(_flag(name), flags[name]) for name in _NUMBERS if flags[name] is not None
    }
    if flags["patience"] is not None:
        changes["patience"] = whole_number("--patience", flags["patience"])
    if flags["optimizer"] is not None:
        changes["optimizer"] = flags["optimizer"].lower()
    plan = Plan(half=not flags["full_precision"], keep=flags["keep_perturbations"])
    return replace(plan, **changes)


def _flag(name: str) -> str:
    return "--" + name.replace("_", "-")
