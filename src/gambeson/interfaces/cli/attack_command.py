"""From the flags of ``gambeson attack`` to its command."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gambeson.core.errors import UsageError
from gambeson.core.threat import Access, Norm, ThreatModel
from gambeson.interfaces.cli.words import data_options, parameters, split_words, whole_number
from gambeson.service.attack_commands import AttackCommand
from gambeson.settings.parsing import parse_duration, parse_eps

_NUMBERS = ("classes", "samples", "seed", "batch_size")


def attack_command(flags: Mapping[str, Any]) -> AttackCommand:
    """The attack that the flags describe.

    Args:
        flags: Value of every parameter of ``gambeson attack`` by name; ``None`` for what was not given.

    Raises:
        UsageError: Data is missing, or a value makes no sense.
    """
    if flags["data"] is None:
        raise UsageError("No data was given.", expected="gambeson attack ATTACK MODEL --data DATA")
    given = {name: flags[name] for name in ("factory", "scores", "split", "out") if flags[name] is not None}
    for name in _NUMBERS:
        if flags[name] is not None:
            given[name] = whole_number("--" + name.replace("_", "-"), flags[name])
    if given.get("seed", 0) < 0:
        raise UsageError(f"The seed is {given['seed']}.", expected="an integer of at least 0")
    return AttackCommand(
        attacks=split_words([flags["names"]]) or (),
        model=flags["model"],
        data=flags["data"],
        parameters=parameters(flags["param"]),
        threat=_threat(flags),
        nearest=flags["nearest"],
        png=flags["png"],
        time_budget=None if flags["time_budget"] is None else parse_duration(flags["time_budget"]),
        data_options=data_options(flags["data_option"], flags["label"]),
        **given,
    )


def _threat(flags: Mapping[str, Any]) -> ThreatModel:
    eps, unit = parse_eps(flags["eps"] or "8/255")
    if flags["nearest"] and flags["eps"]:
        raise UsageError("--nearest looks beyond every --eps.", remedy="give one of the two")
    norm = Norm.parse(flags["norm"] or Norm.LINF)
    queries = None if flags["queries"] is None else whole_number("--queries", flags["queries"])
    if norm == Norm.L0 and not flags["eps"]:
        eps, unit = 1.0, "input"
    return ThreatModel(
        norm=norm,
        eps=eps,
        access=Access.parse(flags["access"] or "gradient"),
        queries=queries,
        frozen=split_words(flags["freeze"]) or (),
        unit=unit,
        categories=whole_number("--categories", flags["categories"] or "0"),
    )
