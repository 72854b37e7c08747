"""``gambeson data`` and ``gambeson model``: versions of datasets and models."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from gambeson.interfaces.cli import trace_options as options
from gambeson.interfaces.cli.progress import choose_progress
from gambeson.interfaces.cli.words import data_options

if TYPE_CHECKING:
    from gambeson.data.differences import Difference
    from gambeson.service.tracing import Workspace
    from gambeson.service.versioning import Added
    from gambeson.supply.versions import Version

data_app = typer.Typer(help="Add, compare and take out versions of datasets.", no_args_is_help=True)
model_app = typer.Typer(help="Add, audit and take out versions of models.", no_args_is_help=True)

_LINEAGE = "Where it came from"

Name = Annotated[str, typer.Argument(metavar="NAME", help="What it is called in the registry")]
Content = Annotated[Path, typer.Argument(metavar="PATH", help="Its file or folder")]
Sources = Annotated[
    list[str] | None,
    typer.Option(
        "--source",
        metavar="URI,...",
        help="Made from this: a path or address, with ,licence=... ,by=... ,when=... ,sha256=...; repeatable",
        rich_help_panel=_LINEAGE,
    ),
]
Inputs = Annotated[
    list[str] | None,
    typer.Option(
        "--from", metavar="NAME@VERSION", help="Made from this version; repeatable", rich_help_panel=_LINEAGE
    ),
]
Code = Annotated[
    list[Path] | None,
    typer.Option("--code", metavar="FILE", help="Code that made it; repeatable", rich_help_panel=_LINEAGE),
]
Parameters = Annotated[
    list[str] | None,
    typer.Option(
        "--param",
        "-p",
        metavar="KEY=VALUE",
        help="Parameter of that code; repeatable",
        rich_help_panel=_LINEAGE,
    ),
]
Licence = Annotated[
    str,
    typer.Option(
        "--licence", metavar="ID", help="SPDX identifier", show_default=False, rich_help_panel=_LINEAGE
    ),
]
Note = Annotated[
    str, typer.Option("--note", metavar="TEXT", help="In words", show_default=False, rich_help_panel=_LINEAGE)
]
Folder = Annotated[Path, typer.Argument(metavar="FOLDER", help="A new folder")]


@data_app.command("add")
def add_data(
    name: Name,
    path: Content,
    data_option: Annotated[
        list[str] | None,
        typer.Option("--data-option", metavar="KEY=VALUE", help="How to read the data; repeatable"),
    ] = None,
    label: Annotated[
        str | None, typer.Option("--label", metavar="NAME", help="Column or array that holds the label")
    ] = None,
    croissant: Annotated[
        Path | None,
        typer.Option(
            "--croissant",
            metavar="FILE",
            help="Croissant metadata of PATH: its digests are checked, licence and maker taken",
            rich_help_panel=_LINEAGE,
        ),
    ] = None,
    raw: Annotated[
        bool,
        typer.Option("--raw", metavar="", help="Keep it although it cannot be opened as data; not validated"),
    ] = False,
    source: Sources = None,
    inputs: Inputs = None,
    code: Code = None,
    param: Parameters = None,
    licence: Licence = "",
    note: Note = "",
    key: options.Key = None,
    store: options.Store = options.STORE,
    ledger: options.Ledger = "",
    keyring: options.Keyring = options.KEYRING,
    as_json: options.AsJson = False,
) -> None:
    """Validate a dataset and add it as a new version; with --key its provenance is signed."""
    given = dict(locals())
    if croissant is not None:
        _described(given, croissant)
    _add(given, "dataset", reading=data_options(data_option, label), run=(), raw=raw)


@model_app.command("add")
def add_model(
    name: Name,
    path: Content,
    source: Sources = None,
    inputs: Inputs = None,
    code: Code = None,
    param: Parameters = None,
    run: Annotated[
        list[str] | None,
        typer.Option(
            "--run",
            metavar="KEY=VALUE",
            help="The training run, e.g. started=2026-05-01T12:00; repeatable",
            rich_help_panel=_LINEAGE,
        ),
    ] = None,
    licence: Licence = "",
    note: Note = "",
    key: options.Key = None,
    store: options.Store = options.STORE,
    ledger: options.Ledger = "",
    keyring: options.Keyring = options.KEYRING,
    as_json: options.AsJson = False,
) -> None:
    """Add a model as a new version; with --key its files and its provenance are signed."""
    given = dict(locals())
    _add(given, "model", reading=(), run=options.pairs("--run", run), raw=False)


@data_app.command("versions")
def data_versions(
    name: Name,
    store: options.Store = options.STORE,
    ledger: options.Ledger = "",
    as_json: options.AsJson = False,
) -> None:
    """List the versions of a dataset."""
    _versions(options.workspace(store, ledger, options.KEYRING), name, as_json)


@model_app.command("versions")
def model_versions(
    name: Name,
    store: options.Store = options.STORE,
    ledger: options.Ledger = "",
    as_json: options.AsJson = False,
) -> None:
    """List the versions of a model."""
    _versions(options.workspace(store, ledger, options.KEYRING), name, as_json)


@data_app.command("get")
def get_data(
    ref: options.Ref, folder: Folder, store: options.Store = options.STORE, ledger: options.Ledger = ""
) -> None:
    """Write the files of a version into a new folder, each checked."""
    _get(options.workspace(store, ledger, options.KEYRING), ref, folder, "dataset")


@model_app.command("get")
def get_model(
    ref: options.Ref, folder: Folder, store: options.Store = options.STORE, ledger: options.Ledger = ""
) -> None:
    """Write the files of a version into a new folder, each checked."""
    _get(options.workspace(store, ledger, options.KEYRING), ref, folder, "model")


@data_app.command("croissant")
def croissant(ref: options.Ref, store: options.Store = options.STORE, ledger: options.Ledger = "") -> None:
    """Print the Croissant metadata of a version."""
    from gambeson.service.describing_versions import describe_dataset

    options.echo_json(describe_dataset(options.workspace(store, ledger, options.KEYRING), ref))


@model_app.command("bom")
def print_bom(ref: options.Ref, store: options.Store = options.STORE, ledger: options.Ledger = "") -> None:
    """Print the bill of materials of a version: CycloneDX 1.6 with datasets, licences and audit figures."""
    from gambeson.service.describing_versions import describe_model

    options.echo_json(describe_model(options.workspace(store, ledger, options.KEYRING), ref))


@data_app.command("diff")
def diff(
    before: Annotated[str, typer.Argument(metavar="BEFORE", help="NAME@VERSION")],
    after: Annotated[str, typer.Argument(metavar="AFTER", help="NAME@VERSION")],
    store: options.Store = options.STORE,
    ledger: options.Ledger = "",
    as_json: options.AsJson = False,
) -> None:
    """Say which rows were added, removed and relabelled, and how far each feature moved."""
    from gambeson.service.comparing import compare_versions

    space = options.workspace(store, ledger, options.KEYRING)
    change = compare_versions(space, before, after)
    if as_json:
        options.echo_json(change)
    else:
        _show_difference(Console(), change)


@model_app.command("attest")
def attest(
    ref: options.Ref,
    report: Annotated[
        Path, typer.Argument(metavar="REPORT", help="A report.json, or the folder of an audit")
    ],
    key: Annotated[
        str,
        typer.Option(
            "--key", metavar="URI", help="Signs: file:PATH, env:VARIABLE or pkcs11:token=T;object=KEY"
        ),
    ],
    store: options.Store = options.STORE,
    ledger: options.Ledger = "",
    keyring: options.Keyring = options.KEYRING,
) -> None:
    """Sign that an audit is of this version, and keep its report."""
    from gambeson.core.errors import UsageError
    from gambeson.service.attesting import attest_audit
    from gambeson.supply.keys import open_private_key

    space = options.workspace(store, ledger, keyring)
    file = report / "report.json" if report.is_dir() else report
    try:
        text = file.read_bytes()
    except OSError as error:
        raise UsageError(f"{file} cannot be read: {error.strerror}.", expected="a report.json") from None
    version = space.registry.version(ref)
    found = attest_audit(space, version, text, open_private_key(key))
    typer.echo(f"{version.ref}: signed audit, gate {found.gate.outcome.value}")


def _described(given: dict[str, Any], path: Path) -> None:
    """Take from Croissant metadata what the command line does not say."""
    from gambeson.service.describing_versions import read_description

    described = read_description(path, given["path"])
    words = [("licence", described.licence), ("by", described.by), ("when", described.when)]
    text = ",".join([str(path), *(f"{name}={value.replace(',', ';')}" for name, value in words if value)])
    given["source"] = [*(given["source"] or ()), text]
    given["licence"] = given["licence"] or described.licence


def _add(given: dict[str, Any], kind: str, **more: Any) -> None:
    from gambeson.service.versioning import AddCommand, add_version
    from gambeson.supply.versions import Kind

    space = options.workspace(given["store"], given["ledger"], given["keyring"], create=True)
    key = options.private_key(given["key"])
    command = AddCommand(
        Kind(kind),
        given["name"],
        given["path"],
        sources=tuple(options.source(text) for text in given["source"] or ()),
        inputs=tuple(given["inputs"] or ()),
        code=tuple(given["code"] or ()),
        parameters=options.pairs("--param", given["param"]),
        licence=given["licence"],
        note=given["note"],
        **more,
    )
    with choose_progress(quiet=given["as_json"]) as progress:
        added = add_version(space, command, key, progress)
    describe_added(added, given["as_json"])


def describe_added(added: Added, as_json: bool) -> None:
    """Print a new version."""
    if as_json:
        options.echo_json({"ref": added.version.ref, **options.plain(added)})
    else:
        typer.echo(_added(added))


def _added(added: Added) -> str:
    version, share = added.version, added.grown / max(added.stored - added.grown, 1)
    grown = f"the store grew by {added.grown:,} bytes"
    if share <= 1:
        grown += f" ({share:.2%})"
    signed = f"; signed: {', '.join(added.documents)}" if added.documents else ""
    return f"{version.ref}: {version.summary}, {version.digest[1][:16]}; {grown}{signed}"


def _versions(space: Workspace, name: str, as_json: bool) -> None:
    registry = space.registry
    registry.version(name)
    names: dict[int, list[str]] = {}
    for alias, number in registry.aliases(name).items():
        names.setdefault(number, []).append(alias)
    rows = [_row(version, names.get(version.number, []), space) for version in registry.versions(name)]
    if as_json:
        options.echo_json(rows)
        return
    for row in rows:
        lines = [
            f"{row['version']}  {row['added'][:16].replace('T', ' ')}  {row['bytes']:,} bytes  {row['digest']}"
        ]
        lines += [
            f"    {name}: {', '.join(row[name])}" for name in ("aliases", "from", "signed") if row[name]
        ]
        typer.echo("\n".join(lines))


def _row(version: Version, aliases: list[str], space: Workspace) -> dict[str, Any]:
    attached = sorted({item.type for item in space.registry.attached(version)})
    state = ["retired"] if space.registry.is_retired(version) else []
    return {
        "version": version.ref,
        "aliases": aliases + state,
        "added": version.entry.time.isoformat(timespec="seconds"),
        "by": version.entry.by,
        "files": version.files,
        "bytes": version.size,
        "digest": version.digest[1][:16],
        "from": [*version.lineage.inputs, *(source.uri for source in version.lineage.sources)],
        "signed": attached,
    }


def _get(space: Workspace, ref: str, folder: Path, kind: str) -> None:
    from gambeson.core.errors import UsageError
    from gambeson.service.versioning import read_dataset_version

    version = space.registry.version(ref)
    if version.kind != kind:
        raise UsageError(f"{version.ref} is a {version.kind}.", expected=f"a {kind}")
    read_dataset_version(space, version, folder)
    typer.echo(f"{version.ref}: wrote {version.summary} to {folder}")


def _show_difference(console: Console, change: Difference) -> None:
    console.print(
        f"rows: {change.before:,} before, {change.after:,} after; {change.added:,} added, {change.removed:,} removed, "
        f"{change.relabelled:,} relabelled",
        highlight=False,
    )
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for column in ("feature", "drift", "", "p"):
        table.add_column(column)
    for drift in change.drift[:20]:
        p = "" if math.isnan(drift.p) else f"{drift.p:.3g}"
        table.add_row(Text(drift.feature), f"{drift.value:.4f}", drift.statistic, p)
    console.print(table)
