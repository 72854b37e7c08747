"""``gambeson audit``: attack a model and report what holds."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import typer
from rich.console import Console

from gambeson.core.errors import UsageError
from gambeson.core.threat import Access, Norm, ThreatModel
from gambeson.interfaces.cli import audit_options as options
from gambeson.interfaces.cli.errors import COULD_NOT_COMPLETE
from gambeson.interfaces.cli.progress import choose_progress
from gambeson.service.commands import AuditCommand

_EXIT = {"OPEN": 0, "CLOSED": 1, "INCOMPLETE": COULD_NOT_COMPLETE}


def audit(
    model: options.Model = None,
    data: options.Data = None,
    data_option: options.DataOption = None,
    label: options.Label = None,
    factory: options.Factory = None,
    scores: options.Scores = None,
    split: options.Split = None,
    train_split: options.TrainSplit = None,
    norm: options.Norm = None,
    eps: options.Eps = None,
    access: options.Access = None,
    queries: options.Queries = None,
    freeze: options.Freeze = None,
    profile: options.Profile = None,
    samples: options.Samples = None,
    only: options.Only = None,
    skip: options.Skip = None,
    time_budget: options.TimeBudget = None,
    seed: options.Seed = None,
    batch_size: options.BatchSize = None,
    resume: options.Resume = False,
    config: options.Config = None,
    quiet: options.Quiet = False,
    out: options.Out = None,
    formats: options.Formats = None,
    fail_on: options.FailOn = None,
    threshold: options.Threshold = None,
    as_json: options.AsJson = False,
) -> int:
    """Attack MODEL on DATA and report what holds.

    Without MODEL and --data, both come from gambeson.toml (see: gambeson init).
    """
    from gambeson.service.auditing import run_audit

    command = _command(dict(locals()))
    with choose_progress(quiet=quiet) as progress:
        report = run_audit(command, progress)
    _show(report, command.out, command.formats, quiet=quiet, as_json=as_json)
    return _EXIT[report.gate.outcome]


def _command(flags: dict[str, Any]) -> AuditCommand:
    """The command that settings and flags describe; a flag that was not given is ``None``."""
    from gambeson.service.configuring import to_command
    from gambeson.settings import load_settings, parse_duration, parse_severity

    command = to_command(_settings(load_settings, flags["config"], flags["model"], flags["data"]))
    plain = ("factory", "scores", "split", "train_split", "profile", "samples", "seed", "batch_size", "out")
    changes = {name: flags[name] for name in plain}
    changes |= {name: _words(flags[name]) for name in ("only", "skip", "formats")}
    if flags["time_budget"]:
        changes["time_budget"] = parse_duration(flags["time_budget"])
    reading = dict(command.data_options) | data_options(flags["data_option"], flags["label"])
    return replace(
        command,
        **{name: value for name, value in changes.items() if value is not None},
        data_options=tuple(reading.items()),
        threats=tuple(_threat(threat, flags) for threat in command.threats),
        fail_on=parse_severity(flags["fail_on"]) if flags["fail_on"] else command.fail_on,
        thresholds=command.thresholds + tuple(_rule(text) for text in flags["threshold"] or ()),
        resume=flags["resume"],
    )


def _settings(load: Any, config: Path | None, model: str | None, data: str | None) -> Any:
    """Settings of the file and the environment, with model and data from the command line on top.

    Options of the data source in the file belong to the file's data: other data does not inherit them.
    """
    path = config or Path("gambeson.toml")
    settings = load(path if config or path.is_file() else None, os.environ)
    if model is not None:
        settings = replace(settings, model=replace(settings.model, path=model))
    if data is not None and data != settings.data.path:
        settings = replace(settings, data=replace(settings.data, path=data, options=()))
    return settings


def _threat(threat: ThreatModel, flags: dict[str, Any]) -> ThreatModel:
    """The attacker of the settings with the flags on top."""
    from gambeson.settings import parse_eps

    norm, eps, access, queries = (flags[name] for name in ("norm", "eps", "access", "queries"))
    radius, unit = parse_eps(eps) if eps is not None else (threat.eps, threat.unit)
    try:
        kind = Norm(norm.lower()) if norm else threat.norm
    except ValueError:
        raise UsageError(f"Unknown norm {norm!r}.", expected=", ".join(Norm)) from None
    return replace(
        threat,
        norm=kind,
        eps=radius,
        unit=unit,
        access=Access.parse(access) if access else threat.access,
        queries=queries if queries is not None else threat.queries,
        frozen=_words(flags["freeze"]) or threat.frozen,
    )


def _words(values: list[str] | None) -> tuple[str, ...] | None:
    """Repeated and comma-separated values as one tuple."""
    if not values:
        return None
    return tuple(word.strip() for value in values for word in value.split(",") if word.strip())


def data_options(values: list[str] | None, label: str | None) -> dict[str, str]:
    """Options of the data source from ``--data-option KEY=VALUE`` and ``--label``.

    Raises:
        UsageError: One has no ``=``.
    """
    pairs = {"label": label} if label else {}
    for value in values or ():
        key, equals, rest = value.partition("=")
        if not equals:
            raise UsageError(f"--data-option {value!r} has no '='.", expected="KEY=VALUE, e.g. header=none")
        pairs[key] = rest
    return pairs


def _rule(text: str) -> tuple[str, str]:
    name, space, rule = text.strip().partition(" ")
    if not space:
        raise UsageError(
            f"The threshold {text!r} has no rule.", expected="e.g. 'evasion.gradient.robust_accuracy >= 0.4'"
        )
    return name, rule.strip()


def _show(report: Any, out: Path, formats: tuple[str, ...], *, quiet: bool, as_json: bool) -> None:
    from gambeson.audit.report.json_report import to_json
    from gambeson.audit.report.terminal import summary
    from gambeson.audit.report.writing import FORMATS

    if as_json:
        typer.echo(to_json(report), nl=False)
    if quiet:
        return
    console = Console(stderr=as_json)
    console.print(summary(report))
    for name in formats:
        console.print(f"{name:6} {out / FORMATS[name][0]}", highlight=False, soft_wrap=True)
