"""``gambeson init``: write a commented gambeson.toml for a model and its data."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from gambeson.interfaces.cli.audit import data_options


def init(
    model: Annotated[str, typer.Argument(help="The model, as for gambeson audit.")],
    data: Annotated[
        str, typer.Option("--data", "-d", metavar="URI", help="The data, as for gambeson audit.")
    ],
    data_option: Annotated[
        list[str] | None,
        typer.Option("--data-option", metavar="KEY=VALUE", help="How to read the data; repeatable."),
    ] = None,
    label: Annotated[
        str | None, typer.Option("--label", help="Column or array that holds the label.")
    ] = None,
    factory: Annotated[
        str | None,
        typer.Option("--factory", metavar="MODULE:FUNCTION", help="Builds the network for a weights file."),
    ] = None,
    classes: Annotated[
        int | None,
        typer.Option("--classes", metavar="N", help="Number of classes, if the data lacks some."),
    ] = None,
    path: Annotated[Path, typer.Option("--config", help="File to write.")] = Path("gambeson.toml"),
    force: Annotated[bool, typer.Option("--force", help="Overwrite an existing file.")] = False,
) -> None:
    """Look at MODEL and DATA and write a commented gambeson.toml that audits them.

    Then `gambeson audit` alone runs from it.
    """
    from gambeson.service.commands import InitCommand
    from gambeson.service.initialising import initialise

    reading = tuple(data_options(data_option, label).items())
    initialise(InitCommand(model, data, reading, factory, classes, path, force))
    typer.echo(
        f"wrote {path}; now run: gambeson audit"
        + ("" if path.name == "gambeson.toml" else f" --config {path}")
    )
