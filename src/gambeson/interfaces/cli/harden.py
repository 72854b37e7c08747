"""``gambeson harden``: train defenses in, and prove them by the same audit before and after."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from gambeson.interfaces.cli import audit_options as options
from gambeson.interfaces.cli.errors import COULD_NOT_COMPLETE
from gambeson.interfaces.cli.progress import choose_progress

if TYPE_CHECKING:
    from gambeson.service.hardening_report import HardenRun

_TRAINING = "Training"


def _option(*names: str, help: str, metavar: str) -> typer.models.OptionInfo:
    found: typer.models.OptionInfo = typer.Option(
        *names, help=help, metavar=metavar, rich_help_panel=_TRAINING, show_default=False
    )
    return found


Recipe = Annotated[
    list[str] | None,
    _option(
        "--recipe",
        "-r",
        metavar="NAMES",
        help="As in gambeson list recipes; several are compared: pgd,trades (default: trades)",
    ),
]
Parameter = Annotated[
    list[str] | None,
    _option(
        "--param",
        "-p",
        metavar="KEY=VALUE",
        help="Parameter of the recipe, e.g. beta=3; of one among several, e.g. trades.beta=3; repeatable",
    ),
]
Epsilon = Annotated[
    str | None,
    _option("--epsilon", metavar="X", help="Train privately (recipe private) with this promise, such as 3"),
]
Delta = Annotated[
    str | None,
    _option("--delta", metavar="X", help="The promise's delta (default: a power of ten below 1 / rows)"),
]
Members = Annotated[
    str | None,
    _option("--members", metavar="N", help="Train an ensemble of N networks as one; see the recipe dverge"),
]
Fresh = Annotated[bool, _option("--fresh", metavar="", help="Train from new weights, not from the model's")]
Epochs = Annotated[str | None, _option("--epochs", metavar="N", help="Passes over the training rows")]
TimeBudget = Annotated[
    str | None,
    _option("--time-budget", metavar="TIME", help="Train each recipe for about so long: 10m, 1h30m"),
]
TrainBatch = Annotated[
    str | None,
    _option("--train-batch", metavar="N", help="Rows of a training step (default: by size of the data)"),
]
Optimizer = Annotated[
    str | None, _option("--optimizer", metavar="NAME", help="adam (default) or sgd, with momentum")
]
LearningRate = Annotated[
    str | None,
    _option("--learning-rate", metavar="X", help="Peak of a one-cycle schedule (default: 0.002; sgd 0.1)"),
]
WeightDecay = Annotated[
    str | None, _option("--weight-decay", metavar="X", help="Decay of the weights (default: 0)")
]
Ramp = Annotated[
    str | None,
    _option("--ramp", metavar="X", help="Share of the training during which eps grows (default: 0.3)"),
]
Average = Annotated[
    str | None,
    _option(
        "--average", metavar="X", help="Decay of the running mean of the weights (default: 0.995; 0: none)"
    ),
]
Perturbation = Annotated[
    str | None,
    _option("--perturbation", metavar="X", help="Size of adversarial weight perturbation (default: 0: none)"),
]
Patience = Annotated[
    str | None,
    _option("--patience", metavar="N", help="Stop after so many epochs without progress (default: never)"),
]
Keep = Annotated[
    bool,
    _option(
        "--keep-perturbations",
        metavar="",
        help="Begin the attack on a row where it ended in the epoch before: fewer steps do the same",
    ),
]
FullPrecision = Annotated[
    bool, _option("--full-precision", metavar="", help="Never compute in bfloat16, even where it is faster")
]
Out = Annotated[
    Path | None,
    typer.Option(
        "--out", "-o", metavar="FOLDER", help="For models, audits and the page (default: gambeson-harden)"
    ),
]
AsJson = Annotated[bool, typer.Option("--json", metavar="", help="Print harden.json on stdout")]
Resume = Annotated[
    bool, typer.Option("--resume", metavar="", help="Go on with the run that the folder holds")
]


def harden(
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
    freeze: options.Freeze = None,
    categories: options.Categories = None,
    recipe: Recipe = None,
    param: Parameter = None,
    epsilon: Epsilon = None,
    delta: Delta = None,
    members: Members = None,
    fresh: Fresh = False,
    epochs: Epochs = None,
    time_budget: TimeBudget = None,
    train_batch: TrainBatch = None,
    optimizer: Optimizer = None,
    learning_rate: LearningRate = None,
    weight_decay: WeightDecay = None,
    ramp: Ramp = None,
    average: Average = None,
    perturbation: Perturbation = None,
    patience: Patience = None,
    keep_perturbations: Keep = False,
    full_precision: FullPrecision = False,
    profile: options.Profile = None,
    samples: options.Samples = None,
    only: options.Only = None,
    seed: options.Seed = None,
    batch_size: options.BatchSize = None,
    config: options.Config = None,
    no_progress: options.NoProgress = False,
    out: Out = None,
    resume: Resume = False,
    as_json: AsJson = False,
) -> int:
    """Train MODEL to withstand an attacker or to keep its records private, and audit it before and after.

    Exit codes: 0 a recipe helped by more than chance or keeps its promise, 1 none does, 2 it is not known.
    """
    flags = dict(locals())
    from gambeson.interfaces.cli.harden_command import harden_command
    from gambeson.service.hardening import run_harden

    command = harden_command(flags, os.environ)
    with choose_progress(quiet=no_progress) as progress:
        run = run_harden(command, progress)
    return _tell(run, command.out, as_json=as_json)


def _tell(run: HardenRun, out: Path, *, as_json: bool) -> int:
    """Say what came of it; the exit code."""
    from gambeson.interfaces.cli.harden_summary import harden_summary

    if as_json:
        typer.echo(run.to_json(), nl=False)
    else:
        Console().print(harden_summary(run))
    said = Console(stderr=as_json, highlight=False, soft_wrap=True)
    said.print(f"wrote {out / 'harden.html'}, harden.json and a folder for each model", markup=False)
    if run.interrupted:
        Console(stderr=True, highlight=False).print("interrupted: add --resume to go on from here")
    if run.interrupted or not run.measured:
        return COULD_NOT_COMPLETE
    return 0 if run.improved else 1
