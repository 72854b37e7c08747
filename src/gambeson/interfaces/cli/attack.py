"""``gambeson attack``: one attack by name."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich import box
from rich.console import Console
from rich.table import Table

from gambeson.interfaces.cli import audit_options as options
from gambeson.interfaces.cli.progress import choose_progress

Name = Annotated[
    str,
    typer.Argument(metavar="ATTACK", help="As in gambeson list attacks; or autoattack, strongest"),
]
Model = Annotated[str, typer.Argument(metavar="MODEL", help="As for gambeson audit")]
Parameter = Annotated[
    list[str] | None,
    typer.Option(
        "--param", "-p", metavar="KEY=VALUE", help="Parameter of the attack, e.g. steps=100; repeatable"
    ),
]
Nearest = Annotated[
    bool,
    typer.Option(
        "--nearest", metavar="", help="Find the nearest adversarial inputs instead of any within --eps"
    ),
]
Out = Annotated[
    Path | None,
    typer.Option("--out", "-o", metavar="FOLDER", help="Writes attack.json and adversarial.npz there"),
]
AsJson = Annotated[bool, typer.Option("--json", metavar="", help="Print JSON on stdout")]


def attack(
    name: Name,
    model: Model,
    data: options.Data = None,
    data_option: options.DataOption = None,
    label: options.Label = None,
    factory: options.Factory = None,
    scores: options.Scores = None,
    classes: options.Classes = None,
    split: options.Split = None,
    norm: options.Norm = None,
    eps: options.Eps = None,
    access: options.Access = None,
    queries: options.Queries = None,
    freeze: options.Freeze = None,
    categories: options.Categories = None,
    param: Parameter = None,
    nearest: Nearest = False,
    samples: options.Samples = None,
    seed: options.Seed = None,
    batch_size: options.BatchSize = None,
    no_progress: options.NoProgress = False,
    out: Out = None,
    as_json: AsJson = False,
) -> int:
    """Run one ATTACK on MODEL, or a whole ensemble, and measure what is left."""
    flags = dict(locals())
    from gambeson.interfaces.cli.attack_command import attack_command
    from gambeson.service.attacking import run_one_attack

    command = attack_command(flags)
    with choose_progress(quiet=no_progress) as progress:
        report = run_one_attack(command, progress)
    if as_json:
        typer.echo(report.to_json(), nl=False)
        return 0
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, title=f"{report.attack} · {report.threat}")
    for column in ("Figure", "Value", "95% interval", "n", "Unit"):
        table.add_column(column)
    for figure in report.measurements:
        band = figure.interval
        spread = f"{band.low:.4g} to {band.high:.4g} ({band.method})" if band else ""
        table.add_row(
            figure.name.replace("_", " "), f"{figure.value:.4g}", spread, str(figure.n), figure.unit
        )
    console = Console()
    console.print(table)
    if len(report.stages) > 1:
        for stage in report.stages:
            console.print(f"{stage.label}: broke {stage.fell} of {stage.tried}", highlight=False)
    if out is not None:
        console.print(f"wrote {out / 'attack.json'} and {out / 'adversarial.npz'}", highlight=False)
    return 0
