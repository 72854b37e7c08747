"""``gambeson attack``: one attack by name, or several on the same samples."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from gambeson.interfaces.cli import audit_options as options
from gambeson.interfaces.cli.errors import COULD_NOT_COMPLETE
from gambeson.interfaces.cli.progress import choose_progress

Names = Annotated[
    str,
    typer.Argument(
        metavar="ATTACK", help="As in gambeson list attacks; or autoattack, strongest; several: pgd,apgd,fab"
    ),
]
Model = Annotated[str, typer.Argument(metavar="MODEL", help="As for gambeson audit")]
Parameter = Annotated[
    list[str] | None,
    typer.Option(
        "--param",
        "-p",
        metavar="KEY=VALUE",
        help="Parameter of the attack, e.g. steps=100; of one among several, e.g. pgd.steps=40; repeatable",
    ),
]
Nearest = Annotated[
    bool,
    typer.Option(
        "--nearest", metavar="", help="Find the nearest adversarial inputs instead of any within --eps"
    ),
]
Samples = Annotated[str | None, typer.Option("--samples", metavar="N", help="Rows to attack (default: 500)")]
TimeBudget = Annotated[
    str | None,
    typer.Option("--time-budget", metavar="TIME", help="Wind up after 90s, 10m, 1h30m; what fell counts"),
]
Out = Annotated[
    Path | None,
    typer.Option(
        "--out", "-o", metavar="FOLDER", help="Writes attack.html, attack.json and adversarial.npz there"
    ),
]
Png = Annotated[bool, typer.Option("--png", metavar="", help="Also writes what fell as PNG, for images")]
AsJson = Annotated[bool, typer.Option("--json", metavar="", help="Print attack.json on stdout")]


def attack(
    names: Names,
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
    samples: Samples = None,
    seed: options.Seed = None,
    batch_size: options.BatchSize = None,
    time_budget: TimeBudget = None,
    no_progress: options.NoProgress = False,
    out: Out = None,
    png: Png = False,
    as_json: AsJson = False,
) -> int:
    """Run an ATTACK on MODEL, an ensemble, or several to compare; measure what is left."""
    flags = dict(locals())
    from gambeson.interfaces.cli.attack_command import attack_command
    from gambeson.interfaces.cli.attack_summary import attack_summary
    from gambeson.service.attacking import run_attack_command

    command = attack_command(flags)
    with choose_progress(quiet=no_progress) as progress:
        run = run_attack_command(command, progress)
    if as_json:
        typer.echo(run.to_json(), nl=False)
    else:
        Console().print(attack_summary(run))
    said = Console(stderr=as_json, highlight=False, soft_wrap=True)
    if out is not None:
        said.print(f"wrote {out / 'attack.html'}, attack.json and what was found beside them", markup=False)
    if run.interrupted:
        Console(stderr=True, highlight=False).print("interrupted: what fell until then is reported above")
        return COULD_NOT_COMPLETE
    return 0
