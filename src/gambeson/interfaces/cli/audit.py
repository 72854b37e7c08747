"""``gambeson audit``: attack a model and report what holds."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from gambeson.core.errors import UsageError
from gambeson.core.threat import Access, Norm, ThreatModel
from gambeson.interfaces.cli.errors import COULD_NOT_COMPLETE
from gambeson.interfaces.cli.progress import choose_progress

_MODEL, _THREAT, _EFFORT = "Model and data", "Attacker", "Effort"
_RUN, _OUT = "Run", "Report and gate"
_EXIT = {"OPEN": 0, "CLOSED": 1, "INCOMPLETE": COULD_NOT_COMPLETE}


def _option(panel: str, *names: str, help: str, metavar: str | None = None) -> Any:
    return typer.Option(*names, help=help, rich_help_panel=panel, metavar=metavar, show_default=False)


def audit(
    model: Annotated[
        str | None,
        typer.Argument(
            help="Model: .pt2, .safetensors or .pt weights with --factory, .onnx, .skops, XGBoost .json/.ubj, "
            "LightGBM .txt, or python:module:function. Default: from gambeson.toml.",
            show_default=False,
        ),
    ] = None,
    data: Annotated[
        str | None,
        _option(
            _MODEL,
            "--data",
            "-d",
            metavar="URI",
            help=".npz, .csv, .parquet, image folder, builtin:digits, builtin:breast_cancer",
        ),
    ] = None,
    data_option: Annotated[
        list[str] | None,
        _option(_MODEL, "--data-option", metavar="KEY=VALUE", help="How to read the data, e.g. header=none"),
    ] = None,
    label: Annotated[
        str | None, _option(_MODEL, "--label", help="Column or array that holds the label")
    ] = None,
    factory: Annotated[
        str | None,
        _option(_MODEL, "--factory", metavar="MODULE:FUNCTION", help="Builds the network for a weights file"),
    ] = None,
    scores: Annotated[
        str | None, _option(_MODEL, "--scores", help="logits or probabilities (default: found out)")
    ] = None,
    split: Annotated[
        str | None, _option(_MODEL, "--split", help="Split that is attacked (default: test)")
    ] = None,
    train_split: Annotated[
        str | None,
        _option(
            _MODEL,
            "--train-split",
            help="The target's training records; none if unknown (default: train, "
            "where the data has splits of its own)",
        ),
    ] = None,
    norm: Annotated[str | None, _option(_THREAT, "--norm", help="linf, l2, l1 or l0 (default: linf)")] = None,
    eps: Annotated[
        str | None,
        _option(
            _THREAT,
            "--eps",
            help="Radius in input units (8/255, 0.03), or a share of each feature's range "
            "(10%) (default: 8/255)",
        ),
    ] = None,
    access: Annotated[
        str | None, _option(_THREAT, "--access", help="labels, scores or gradient (default: gradient)")
    ] = None,
    queries: Annotated[int | None, _option(_THREAT, "--queries", help="Most queries per sample")] = None,
    freeze: Annotated[
        list[str] | None,
        _option(_THREAT, "--freeze", metavar="FEATURE", help="Features that cannot be changed; repeatable"),
    ] = None,
    profile: Annotated[
        str | None, _option(_EFFORT, "--profile", help="quick, standard or thorough (default: standard)")
    ] = None,
    samples: Annotated[int | None, _option(_EFFORT, "--samples", help="Rows to attack")] = None,
    only: Annotated[
        list[str] | None, _option(_EFFORT, "--only", help="Families or checks to run, e.g. evasion,privacy")
    ] = None,
    skip: Annotated[
        list[str] | None, _option(_EFFORT, "--skip", help="Families or checks to leave out")
    ] = None,
    time_budget: Annotated[
        str | None, _option(_EFFORT, "--time-budget", metavar="10m", help="Time for the whole audit")
    ] = None,
    seed: Annotated[int | None, _option(_RUN, "--seed", help="Same seed, same figures (default: 0)")] = None,
    batch_size: Annotated[
        int | None,
        _option(_RUN, "--batch-size", help="Samples per model pass; changes no result (default: 64)"),
    ] = None,
    resume: Annotated[
        bool, _option(_RUN, "--resume", help="Go on with the interrupted run in --out")
    ] = False,
    config: Annotated[
        Path | None, _option(_RUN, "--config", help="Configuration file (default: gambeson.toml, if there)")
    ] = None,
    quiet: Annotated[bool, _option(_RUN, "--quiet", "-q", help="No progress and no summary")] = False,
    out: Annotated[
        Path | None, _option(_OUT, "--out", "-o", help="Folder for the reports (default: gambeson-audit)")
    ] = None,
    formats: Annotated[
        list[str] | None, _option(_OUT, "--format", "-f", help="json, html, sarif, junit (default: all)")
    ] = None,
    fail_on: Annotated[
        str | None,
        _option(
            _OUT,
            "--fail-on",
            help="Severity that closes the gate: never, low, medium, high, critical (default: high)",
        ),
    ] = None,
    threshold: Annotated[
        list[str] | None,
        _option(_OUT, "--threshold", metavar="RULE", help="e.g. 'evasion.gradient.robust_accuracy >= 0.4'"),
    ] = None,
    as_json: Annotated[bool, _option(_OUT, "--json", help="Print report.json on stdout")] = False,
) -> int:
    """Attack MODEL on DATA and report what holds.

    Without MODEL and --data, both come from gambeson.toml (see: gambeson init).
    """
    from gambeson.service.auditing import run_audit
    from gambeson.service.configuring import to_command
    from gambeson.settings import load_settings, parse_duration, parse_severity

    settings = _settings(load_settings, config, model, data)
    command = to_command(settings)
    options = dict(command.data_options) | data_options(data_option, label)
    changes: dict[str, Any] = {
        "factory": factory,
        "scores": scores,
        "split": split,
        "train_split": train_split,
        "profile": profile,
        "samples": samples,
        "only": _words(only),
        "skip": _words(skip),
        "time_budget": parse_duration(time_budget) if time_budget else None,
        "seed": seed,
        "batch_size": batch_size,
        "out": out,
        "formats": _words(formats),
    }
    command = replace(
        command,
        **{name: value for name, value in changes.items() if value is not None},
        data_options=tuple(options.items()),
        threats=tuple(_threat(t, norm, eps, access, queries, _words(freeze)) for t in command.threats),
        fail_on=parse_severity(fail_on) if fail_on else command.fail_on,
        thresholds=command.thresholds + tuple(_rule(text) for text in threshold or ()),
        resume=resume,
    )
    with choose_progress(quiet=quiet) as progress:
        report = run_audit(command, progress)
    _show(report, command.out, command.formats, quiet=quiet, as_json=as_json)
    return _EXIT[report.gate.outcome]


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


def _threat(
    threat: ThreatModel,
    norm: str | None,
    eps: str | None,
    access: str | None,
    queries: int | None,
    freeze: tuple[str, ...] | None,
) -> ThreatModel:
    from gambeson.settings import parse_eps

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
        frozen=freeze or threat.frozen,
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
