"""``gambeson audit``: attack a model and report what holds."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import typer
from rich.console import Console

from gambeson.interfaces.cli import audit_options as options
from gambeson.interfaces.cli.errors import COULD_NOT_COMPLETE
from gambeson.interfaces.cli.progress import choose_progress

_EXIT = {"OPEN": 0, "CLOSED": 1, "INCOMPLETE": COULD_NOT_COMPLETE}


def audit(
    model: options.Model = None,
    data: options.Data = None,
    data_option: options.DataOption = None,
    label: options.Label = None,
    factory: options.Factory = None,
    scores: options.Scores = None,
    classes: options.Classes = None,
    split: options.Split = None,
    train_split: options.TrainSplit = None,
    norm: options.Norm = None,
    eps: options.Eps = None,
    access: options.Access = None,
    queries: options.Queries = None,
    freeze: options.Freeze = None,
    categories: options.Categories = None,
    surrogate: options.Surrogate = None,
    surrogate_factory: options.SurrogateFactory = None,
    profile: options.Profile = None,
    samples: options.Samples = None,
    only: options.Only = None,
    skip: options.Skip = None,
    time_budget: options.TimeBudget = None,
    seed: options.Seed = None,
    batch_size: options.BatchSize = None,
    jobs: options.Jobs = None,
    resume: options.Resume = False,
    config: options.Config = None,
    no_progress: options.NoProgress = False,
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
    flags = dict(locals())
    from gambeson.interfaces.cli.audit_command import audit_command
    from gambeson.service.auditing import run_audit

    command = audit_command(flags, os.environ)
    with choose_progress(quiet=quiet or no_progress) as progress:
        report = run_audit(command, progress)
    _show(report, command.out, command.formats, quiet=quiet, as_json=as_json)
    return _EXIT[report.gate.outcome]


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
