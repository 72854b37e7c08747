"""``gambeson data poison``: change training data as an attacker would, to see whether a pipeline notices."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from gambeson.core.errors import UsageError
from gambeson.interfaces.cli import trace_options
from gambeson.interfaces.cli.versions import data_app
from gambeson.interfaces.cli.words import data_options, number, parameters, whole_number

Attack = Annotated[str, typer.Argument(metavar="ATTACK", help="As in gambeson list poisonings")]
Data = Annotated[str, typer.Argument(metavar="DATA", help="As for gambeson audit --data")]
DataOption = Annotated[
    list[str] | None,
    typer.Option("--data-option", metavar="KEY=VALUE", help="How to read the data; repeatable"),
]
Label = Annotated[
    str | None, typer.Option("--label", metavar="NAME", help="Column or array that holds the label")
]
Parameter = Annotated[
    list[str] | None,
    typer.Option(
        "--param", "-p", metavar="KEY=VALUE", help="Parameter of the attack, e.g. size=4; repeatable"
    ),
]
Rate = Annotated[
    str, typer.Option("--rate", metavar="SHARE", help="Of the training rows that may change, e.g. 0.01")
]
Target = Annotated[
    str | None,
    typer.Option("--target", metavar="CLASS", help="Class that the attacker wants (default: the first)"),
]
Split = Annotated[str, typer.Option("--split", metavar="NAME", help="Split that is poisoned")]
Victim = Annotated[
    str | None,
    typer.Option("--victim", metavar="ROW", help="Row of the test split that a targeted attack is about"),
]
Factory = Annotated[
    str | None,
    typer.Option("--factory", metavar="FILE:FUNCTION", help="Builds the network that the attacker trains"),
]
SeedOption = Annotated[str, typer.Option("--seed", metavar="N", help="Of everything that is drawn")]
Out = Annotated[Path, typer.Option("--out", "-o", metavar="FOLDER", help="For the data and the record")]


@data_app.command("poison")
def poison(
    attack: Attack,
    data: Data,
    data_option: DataOption = None,
    label: Label = None,
    param: Parameter = None,
    rate: Rate = "0.05",
    target: Target = None,
    split: Split = "train",
    victim: Victim = None,
    factory: Factory = None,
    seed: SeedOption = "0",
    out: Out = Path("gambeson-poison"),
    as_json: trace_options.AsJson = False,
) -> None:
    """Poison a dataset by a known attack, and write it with a record of what was changed."""
    from gambeson.service.poisoning import PoisonCommand, poison_data

    root = whole_number("--seed", seed)
    if root < 0:
        raise UsageError(f"--seed is {root}.", expected="at least 0")
    command = PoisonCommand(
        attack=attack,
        data=data,
        data_options=data_options(data_option, label),
        parameters=parameters(param),
        rate=number("--rate", rate),
        target=target,
        split=split,
        victim=None if victim is None else whole_number("--victim", victim),
        factory=factory,
        seed=root,
        out=out,
    )
    run = poison_data(command)
    if as_json:
        trace_options.echo_json(run)
        return
    removed = f", {run.removed:,} removed" if run.removed else ""
    typer.echo(f"{run.attack}: {run.changed:,} of {run.rows:,} rows changed{removed}")
    for path in run.files:
        typer.echo(f"wrote {path}")
