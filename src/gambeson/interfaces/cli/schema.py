"""``gambeson schema``: the published formats."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Annotated, Any

import typer

from gambeson.core.errors import UsageError


def schema(name: Annotated[str, typer.Argument(metavar="report|config", help="Which one")]) -> None:
    """Print the JSON Schema of report.json or gambeson.toml."""
    from gambeson.audit.report.json_report import report_schema
    from gambeson.settings import config_schema

    known: dict[str, Callable[[], dict[str, Any]]] = {"report": report_schema, "config": config_schema}
    if name not in known:
        raise UsageError(f"There is no schema {name!r}.", expected=" or ".join(known))
    typer.echo(json.dumps(known[name](), indent=1))
