"""``gambeson model import|export`` with MLflow, ``gambeson data import|export`` with DVC."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from gambeson.interfaces.cli import trace_options as options
from gambeson.interfaces.cli.versions import Inputs, Licence, Name, data_app, describe_added, model_app
from gambeson.interfaces.cli.words import data_options

__all__ = ["data_app", "model_app"]

Tracking = Annotated[
    str,
    typer.Option("--tracking", metavar="URI", help="Of MLflow: http://..., sqlite:///... or a folder"),
]


@model_app.command("import")
def import_model(
    name: Name,
    uri: Annotated[str, typer.Argument(metavar="URI", help="models:/NAME/VERSION or models:/NAME@ALIAS")],
    tracking: Tracking,
    inputs: Inputs = None,
    key: options.Key = None,
    store: options.Store = options.STORE,
    ledger: options.Ledger = "",
    keyring: options.Keyring = options.KEYRING,
    as_json: options.AsJson = False,
) -> None:
    """Add a model version of MLflow's registry, with its run and parameters."""
    from gambeson.service.exchanging import import_mlflow

    space = options.workspace(store, ledger, keyring, create=True)
    secret = options.private_key(key)
    added = import_mlflow(space, name, uri, tracking, inputs=tuple(inputs or ()), key=secret)
    describe_added(added, as_json)


@model_app.command("export")
def export_model(
    ref: options.Ref,
    tracking: Tracking,
    name: Annotated[
        str,
        typer.Option(
            "--as", metavar="NAME", help="What it is called there (default: as here)", show_default=False
        ),
    ] = "",
    store: options.Store = options.STORE,
    ledger: options.Ledger = "",
) -> None:
    """Register a version in MLflow; its tags say which one it is."""
    from gambeson.service.exchanging import export_mlflow

    typer.echo(export_mlflow(options.workspace(store, ledger, options.KEYRING), ref, tracking, name))


@data_app.command("import")
def import_data(
    name: Name,
    tracking: Annotated[Path, typer.Argument(metavar="FILE.dvc", help="What DVC wrote beside the data")],
    data_option: Annotated[
        list[str] | None,
        typer.Option("--data-option", metavar="KEY=VALUE", help="How to read the data; repeatable"),
    ] = None,
    label: Annotated[
        str | None, typer.Option("--label", metavar="NAME", help="Column or array that holds the label")
    ] = None,
    licence: Licence = "",
    key: options.Key = None,
    store: options.Store = options.STORE,
    ledger: options.Ledger = "",
    keyring: options.Keyring = options.KEYRING,
    as_json: options.AsJson = False,
) -> None:
    """Add data that DVC tracks, if they are still what was tracked."""
    from gambeson.service.exchanging import import_dvc
    from gambeson.service.versioning import AddCommand
    from gambeson.supply.versions import Kind

    space = options.workspace(store, ledger, keyring, create=True)
    reading = data_options(data_option, label)
    command = AddCommand(Kind.DATASET, name, tracking, reading=reading, licence=licence)
    describe_added(import_dvc(space, tracking, command, options.private_key(key)), as_json)


@data_app.command("export")
def export_data(
    ref: options.Ref,
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="A new folder")],
    store: options.Store = options.STORE,
    ledger: options.Ledger = "",
) -> None:
    """Write a version into a new folder, with the .dvc file that dvc add would write."""
    from gambeson.service.exchanging import export_dvc

    path = export_dvc(options.workspace(store, ledger, options.KEYRING), ref, folder)
    typer.echo(f"wrote {path}")
