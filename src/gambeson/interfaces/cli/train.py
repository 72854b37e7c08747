"""``gambeson model train``: run a training command on versions from the store, and record it."""

from __future__ import annotations

from typing import Annotated

import typer

from gambeson.interfaces.cli import trace_options as options
from gambeson.interfaces.cli.versions import Name, Note, Parameters, describe_added, model_app


@model_app.command("train")
def train(
    name: Name,
    output: Annotated[
        str, typer.Argument(metavar="FILE", help="Name of what the command writes, e.g. income.skops")
    ],
    command: Annotated[
        list[str], typer.Argument(metavar="COMMAND", help="After --; {data} and {out} stand for the paths")
    ],
    inputs: Annotated[
        list[str] | None,
        typer.Option(
            "--from", metavar="NAME@VERSION", help="Trained on this; {data} or {data:NAME}; repeatable"
        ),
    ] = None,
    param: Parameters = None,
    note: Note = "",
    key: options.Key = None,
    store: options.Store = options.STORE,
    ledger: options.Ledger = "",
    keyring: options.Keyring = options.KEYRING,
    as_json: options.AsJson = False,
) -> None:
    """Run COMMAND on checked copies of the data and add the model that it writes, with its run."""
    from gambeson.service.recording import TrainCommand, train_version

    space = options.workspace(store, ledger, keyring)
    secret = options.private_key(key)
    parameters = options.pairs("--param", param)
    run = TrainCommand(name, output, tuple(inputs or ()), tuple(command), parameters, note)
    describe_added(train_version(space, run, secret), as_json)


__all__ = ["model_app", "train"]
