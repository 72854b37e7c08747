"""``gambeson init``: write a commented gambeson.toml for a model and its data."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from gambeson.interfaces.cli.words import data_options, whole_number


def init(
    model: Annotated[str, typer.Argument(metavar="MODEL", help="As for gambeson audit")],
    data: Annotated[str, typer.Option("--data", "-d", metavar="DATA", help="As for gambeson audit")],
    data_option: Annotated[
        list[str] | None,
        typer.Option("--data-option", metavar="KEY=VALUE", help="How to read the data; repeatable"),
    ] = None,
    label: Annotated[
        str | None, typer.Option("--label", metavar="NAME", help="Column or array that holds the label")
    ] = None,
    factory: Annotated[
        str | None,
        typer.Option("--factory", metavar="FILE:FUNCTION", help="Builds the network for a weights file"),
    ] = None,
    classes: Annotated[
        str | None, typer.Option("--classes", metavar="N", help="Number of classes, if the data lacks some")
    ] = None,
    path: Annotated[Path, typer.Option("--config", metavar="FILE", help="File to write")] = Path(
        "gambeson.toml"
    ),
    force: Annotated[bool, typer.Option("--force", metavar="", help="Overwrite an existing file")] = False,
) -> None:
    """Look at MODEL and DATA and write a commented gambeson.toml that audits them.

    Then `gambeson audit` alone runs from it.
    """
    from gambeson.service.commands import InitCommand
    from gambeson.service.initialising import initialise

    count = whole_number("--classes", classes) if classes is not None else None
    initialise(InitCommand(model, data, data_options(data_option, label), factory, count, path, force))
    other = "" if path == Path("gambeson.toml") else f" --config {path}"
    typer.echo(f"wrote {path}; now run: gambeson audit{other}")
