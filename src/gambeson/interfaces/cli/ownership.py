"""``gambeson ownership``: prove that a model was derived from ours, and mark ours so that it can be proved."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich import box
from rich.console import Console
from rich.table import Table

from gambeson.interfaces.cli import audit_options as options
from gambeson.interfaces.cli.progress import choose_progress

if TYPE_CHECKING:
    from gambeson.service.owning import OwnershipReport

app = typer.Typer(
    help="Prove that a model was derived from yours, or mark yours first.",
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"]},
)

Model = Annotated[str, typer.Argument(metavar="MODEL", help="Our model, as for gambeson audit")]
Suspect = Annotated[str, typer.Argument(metavar="SUSPECT", help="The model that may be derived from ours")]
SuspectFactory = Annotated[
    str | None,
    typer.Option(
        "--suspect-factory",
        metavar="FILE:FUNCTION",
        help="Builds the network of SUSPECT, where it is another one than ours",
    ),
]
Reference = Annotated[
    list[str] | None,
    typer.Option(
        "--reference",
        metavar="MODEL",
        help="A model made independently of ours, in the same way; repeatable",
    ),
]
Train = Annotated[
    str | None,
    typer.Option("--train", metavar="N", help="Independent models to train; 0 for none (default: 16)"),
]
Triggers = Annotated[
    Path | None,
    typer.Option("--triggers", metavar="FILE", help="Look for the watermark that ownership mark wrote"),
]
Access = Annotated[
    str | None,
    typer.Option(
        "--access", metavar="LEVEL", help="What SUSPECT is asked for: labels or scores (default: scores)"
    ),
]
Inputs = Annotated[
    str | None,
    typer.Option("--inputs", metavar="N", help="Inputs to ask about, of each kind (default: 1000)"),
]
Alpha = Annotated[
    str | None,
    typer.Option("--alpha", metavar="CHANCE", help="Of accusing an independent model (default: 0.01)"),
]
Count = Annotated[str | None, typer.Option("--count", metavar="N", help="Secret answers (default: 100)")]
Passes = Annotated[
    str | None, typer.Option("--passes", metavar="N", help="Passes over the training data (default: 5)")
]
Out = Annotated[
    Path | None,
    typer.Option("--out", "-o", metavar="FOLDER", help="For the files (default: gambeson-mark)"),
]
Secret = Annotated[
    str | None,
    typer.Option(
        "--seed",
        metavar="N",
        help="Draws the same secret again (default: one that nobody knows, from the system)",
    ),
]
AsJson = Annotated[bool, typer.Option("--json", metavar="", help="Print JSON on stdout")]


@app.command("verify")
def verify(
    model: Model,
    suspect: Suspect,
    data: options.Data = None,
    data_option: options.DataOption = None,
    label: options.Label = None,
    factory: options.Factory = None,
    suspect_factory: SuspectFactory = None,
    scores: options.Scores = None,
    classes: options.Classes = None,
    split: options.Split = None,
    train_split: options.TrainSplit = None,
    reference: Reference = None,
    train: Train = None,
    triggers: Triggers = None,
    access: Access = None,
    inputs: Inputs = None,
    alpha: Alpha = None,
    seed: options.Seed = None,
    batch_size: options.BatchSize = None,
    no_progress: options.NoProgress = False,
    as_json: AsJson = False,
) -> int:
    """Was SUSPECT derived from MODEL? Exit code 1 if so, 0 if there is no evidence of it."""
    flags = dict(locals())
    from gambeson.interfaces.cli.ownership_command import ownership_command
    from gambeson.service.owning import verify_ownership

    command = ownership_command(flags)
    with choose_progress(quiet=no_progress) as progress:
        report = verify_ownership(command, progress)
    if as_json:
        typer.echo(report.to_json(), nl=False)
    else:
        _show(Console(), report)
    return int(report.derived)


@app.command("mark")
def mark(
    model: Model,
    data: options.Data = None,
    data_option: options.DataOption = None,
    label: options.Label = None,
    factory: options.Factory = None,
    scores: options.Scores = None,
    classes: options.Classes = None,
    train_split: options.TrainSplit = None,
    count: Count = None,
    passes: Passes = None,
    seed: Secret = None,
    no_progress: options.NoProgress = False,
    out: Out = None,
    as_json: AsJson = False,
) -> int:
    """Teach MODEL secret answers, and write it and the secret."""
    flags = dict(locals())
    from gambeson.interfaces.cli.ownership_command import mark_command
    from gambeson.service.owning import mark_model

    command = mark_command(flags)
    with choose_progress(quiet=no_progress) as progress:
        report = mark_model(command, progress)
    if as_json:
        typer.echo(report.to_json(), nl=False)
        return 0
    console = Console()
    console.print(f"{report.matches} of {report.inputs} secret answers are given", highlight=False)
    console.print(
        f"accuracy on the training data {report.accuracy_before:.4f} before, {report.accuracy_after:.4f} now",
        highlight=False,
    )
    for path in report.files:
        console.print(f"wrote {path}", highlight=False, soft_wrap=True)
    return 0


def _show(console: Console, report: OwnershipReport) -> None:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for column in ("test", "suspect", "independent models", "p-value"):
        table.add_column(column)
    for test in report.tests:
        spread = f"{min(test.references):.3f} to {max(test.references):.3f}" if test.references else ""
        table.add_row(test.name, f"{test.statistic:.3f}", spread, f"{test.p_value:.2g}")
    console.print(table)
    claim = "was derived from" if report.derived else "shows no evidence of being derived from"
    console.print(
        f"{report.suspect} {claim} {report.model}: p = {report.p_value:.2g}, alpha = {report.alpha:g}",
        highlight=False,
        soft_wrap=True,
        markup=False,
    )
    for line in (*(f"{test.name}: {test.detail}" for test in report.tests), *report.notes):
        console.print(line, highlight=False, markup=False)
