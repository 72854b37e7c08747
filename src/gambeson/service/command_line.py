"""The command line that repeats an audit."""

from __future__ import annotations

import shlex
from dataclasses import replace

from gambeson.core.threat import ThreatModel
from gambeson.service.commands import AuditCommand


def command_line(command: AuditCommand) -> str:
    """A ``gambeson audit`` command that runs the same audit again.

    Only what decides the result is written; with several threat models, those come from the configuration
    file and the command names the first.
    """
    words = ["gambeson", "audit", command.model, "--data", command.data]
    default = AuditCommand(model="", data="")
    for flag, value, usual in (
        ("--factory", command.factory, None),
        ("--scores", command.scores, None),
        ("--classes", command.classes, None),
        ("--surrogate", command.surrogate, None),
        ("--surrogate-factory", command.surrogate_factory, None),
        ("--split", command.split, default.split),
        ("--train-split", command.train_split, None),
        ("--profile", command.profile, default.profile),
        ("--samples", command.samples, None),
    ):
        if value is not None and value != usual:
            words += [flag, str(value)]
    for name, value in command.data_options:
        words += ["--data-option", f"{name}={value}"]
    words += threat_words(command.threats[0])
    for flag, names in (("--only", command.only), ("--skip", command.skip)):
        if names:
            words += [flag, ",".join(names)]
    return shlex.join([*words, "--seed", str(command.seed)])


def only(command: AuditCommand, check: str, threat: ThreatModel) -> str:
    """The command line that runs one check of an audit under one threat model."""
    return command_line(replace(command, only=(check,), skip=(), threats=(threat,)))


def threat_words(threat: ThreatModel, *, radius: bool = True) -> list[str]:
    """The flags that declare an attacker; its radius where that counts."""
    eps = f"{threat.eps * 100:.10g}%" if threat.unit == "range" else _radius(threat.eps)
    words = ["--norm", str(threat.norm), *(("--eps", eps) if radius else ()), "--access", str(threat.access)]
    if threat.queries is not None:
        words += ["--queries", str(threat.queries)]
    for name in threat.frozen:
        words += ["--freeze", name]
    if threat.categories:
        words += ["--categories", str(threat.categories)]
    return words


def _radius(eps: float) -> str:
    """A radius that reads back as the same number: as so many of 255 levels where that is what was meant."""
    levels = round(eps * 255)
    exact = repr(float(eps))
    return f"{levels}/255" if levels / 255 == eps and len(exact) > len("0.1234") else exact.removesuffix(".0")
