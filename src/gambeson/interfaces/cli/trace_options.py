"""Options that the commands of tracing share, and what they read from them."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import fields, is_dataclass
from datetime import datetime
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gambeson.core.errors import UsageError

if TYPE_CHECKING:
    from gambeson.service.tracing import Workspace
    from gambeson.supply.keys import PrivateKey
    from gambeson.supply.lineage import Pairs, Source

_WHERE = "Where"

Store = Annotated[
    Path,
    typer.Option(
        "--store", metavar="FOLDER", envvar="GAMBESON_STORE", help="The store", rich_help_panel=_WHERE
    ),
]
Ledger = Annotated[
    str,
    typer.Option(
        "--ledger",
        metavar="URI",
        envvar="GAMBESON_LEDGER",
        help="sqlite:PATH or postgresql://... (default: a file in the store)",
        show_default=False,
        rich_help_panel=_WHERE,
    ),
]
Keyring = Annotated[
    Path,
    typer.Option(
        "--keyring",
        metavar="FILE",
        envvar="GAMBESON_KEYRING",
        help="The trusted keys",
        rich_help_panel=_WHERE,
    ),
]
Key = Annotated[
    str | None,
    typer.Option("--key", metavar="URI", help="Signs: file:PATH, env:VARIABLE or pkcs11:token=T;object=KEY"),
]
AsJson = Annotated[bool, typer.Option("--json", metavar="", help="Print JSON")]
Ref = Annotated[
    str, typer.Argument(metavar="NAME@VERSION", help="A version, an alias, or NAME for the newest")
]

STORE, KEYRING = Path("gambeson-store"), Path("gambeson-keys.json")


def workspace(store: Path, ledger: str, keyring: Path, *, create: bool = False) -> Workspace:
    """What the commands work with; ``GAMBESON_PIECES`` names an object store for the content."""
    from gambeson.service.tracing import Places, open_workspace

    pieces = os.environ.get("GAMBESON_PIECES", "")
    return open_workspace(Places(store, ledger, keyring, pieces), create=create)


def private_key(uri: str | None) -> PrivateKey | None:
    """The key that ``--key`` names."""
    from gambeson.supply.keys import open_private_key

    return open_private_key(uri) if uri is not None else None


def pairs(flag: str, values: Sequence[str] | None) -> Pairs:
    """``KEY=VALUE`` pairs.

    Raises:
        UsageError: One has no ``=``.
    """
    found = []
    for value in values or ():
        name, equals, rest = value.partition("=")
        if not equals or not name:
            raise UsageError(f"{flag} {value!r} has no '='.", expected="KEY=VALUE")
        found.append((name, rest))
    return tuple(found)


def source(text: str) -> Source:
    """A source from ``URI[,licence=...][,by=...][,when=...][,sha256=...]``.

    Raises:
        UsageError: An unknown word.
    """
    from gambeson.supply.lineage import Source

    uri, *words = text.split(",")
    given = dict(pairs("--source", words))
    digest = given.pop("sha256", "")
    unknown = given.keys() - {"licence", "by", "when"}
    if unknown or not uri:
        raise UsageError(
            f"--source {text!r} cannot be read.", expected="URI,licence=...,by=...,when=...,sha256=..."
        )
    return Source(uri, ("sha256", digest) if digest else ("", ""), **given)


def echo_json(value: object) -> None:
    """Print a value as indented JSON."""
    typer.echo(json.dumps(plain(value), indent=1, ensure_ascii=False))


def plain(value: object) -> Any:
    """A value of ours as JSON has it: names of fields, ISO moments, texts of choices."""
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: plain(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, dict):
        return {str(name): plain(item) for name, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, float) and value != value:
        return None
    return str(value) if isinstance(value, Path) else value
