"""``gambeson data inspect``: which training rows look as if somebody had put them there to change the model?"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from gambeson.interfaces.cli import audit_options, trace_options
from gambeson.interfaces.cli.poison import Data, DataOption, Label, SeedOption
from gambeson.interfaces.cli.progress import choose_progress
from gambeson.interfaces.cli.versions import data_app
from gambeson.interfaces.cli.words import data_options, number, split_words, whole_number

Trusted = Annotated[
    str | None,
    typer.Option("--trusted", metavar="DATA", help="Data that are known to be clean (default: DATA itself)"),
]
TrustedSplit = Annotated[
    str, typer.Option("--trusted-split", metavar="NAME", help="Split of the trusted data that is used")
]
Split = Annotated[str, typer.Option("--split", metavar="NAME", help="Split under suspicion")]
Rate = Annotated[
    str | None,
    typer.Option(
        "--fpr",
        metavar="SHARE",
        help="Share of clean rows that may be flagged (default: 0.01; more where fewer than 1,500 rows are trusted)",
    ),
]
Epochs = Annotated[str, typer.Option("--epochs", metavar="N", help="Passes over the rows of each training")]
Only = Annotated[
    list[str] | None, typer.Option("--only", metavar="NAMES", help="Detectors (default: all of them)")
]
Factory = Annotated[
    str | None,
    typer.Option("--factory", metavar="FILE:FUNCTION", help="Builds the networks that are trained"),
]
Out = Annotated[Path, typer.Option("--out", "-o", metavar="FOLDER", help="For the page and the list of rows")]


@data_app.command("inspect")
def inspect_rows(
    data: Data,
    trusted: Trusted = None,
    data_option: DataOption = None,
    label: Label = None,
    split: Split = "train",
    trusted_split: TrustedSplit = "test",
    fpr: Rate = None,
    epochs: Epochs = "4",
    only: Only = None,
    factory: Factory = None,
    seed: SeedOption = "0",
    no_progress: audit_options.NoProgress = False,
    out: Out = Path("gambeson-inspect"),
    as_json: trace_options.AsJson = False,
) -> int:
    """Look for poisoned rows; exit code 1 if more are flagged than chance explains."""
    from gambeson.service.inspecting import InspectCommand, inspect_data

    command = InspectCommand(
        data=data,
        data_options=data_options(data_option, label),
        split=split,
        trusted=trusted,
        trusted_split=trusted_split,
        rate=None if fpr is None else number("--fpr", fpr),
        epochs=whole_number("--epochs", epochs),
        names=split_words(only) or (),
        factory=factory,
        seed=whole_number("--seed", seed),
        out=out,
    )
    with choose_progress(quiet=no_progress) as progress:
        run = inspect_data(command, progress)
    if as_json:
        trace_options.echo_json(run)
        return int(run.poisoned)
    typer.echo(f"flagged {run.flagged} at a false-positive rate of {run.rate:.3g}, chance {run.chance:.2g}")
    typer.echo(
        f"about {run.share:.1%} of the rows look poisoned" if run.poisoned else "no more than chance explains"
    )
    for path in run.files:
        typer.echo(f"wrote {path}")
    return int(run.poisoned)
