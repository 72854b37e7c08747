"""``gambeson list`` and ``gambeson schema``: what there is to run, and the published formats."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Annotated, Any

import typer
from rich import box
from rich.console import Console
from rich.table import Table

from gambeson.core.errors import UsageError

app = typer.Typer(help="List checks and attacks.", no_args_is_help=True)

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@app.command("checks")
def list_checks(as_json: AsJson = False) -> None:
    """List the checks that an audit can run."""
    from gambeson.audit.base import checks

    rows = [
        {
            "check": entry.name,
            "family": entry.facts.family.value,
            "access": entry.facts.access.value,
            "question": entry.facts.question,
            "taxonomy": ", ".join(entry.facts.taxonomy),
        }
        for entry in checks
    ]
    _show(rows, as_json)


@app.command("attacks")
def list_attacks(as_json: AsJson = False) -> None:
    """List the registered attacks with the access they need."""
    from gambeson.attacks.base import evasion
    from gambeson.attacks.privacy.base import privacy

    rows = [
        {
            "attack": entry.name,
            "family": "evasion",
            "access": entry.facts.access.value,
            "norms": ", ".join(entry.facts.norms),
            "source": entry.facts.source,
        }
        for entry in evasion
    ]
    rows += [
        {
            "attack": entry.name,
            "family": "privacy",
            "access": entry.facts.access.value,
            "norms": "",
            "source": entry.facts.source,
        }
        for entry in privacy
    ]
    _show(rows, as_json)


def schema(
    name: Annotated[str, typer.Argument(help="report or config")],
) -> None:
    """Print the JSON Schema of report.json or gambeson.toml."""
    from gambeson.audit.report.json_report import report_schema
    from gambeson.settings import config_schema

    known: dict[str, Callable[[], dict[str, Any]]] = {"report": report_schema, "config": config_schema}
    if name not in known:
        raise UsageError(f"There is no schema {name!r}.", expected=" or ".join(known))
    typer.echo(json.dumps(known[name](), indent=1))


def _show(rows: list[dict[str, str]], as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps(rows, indent=1))
        return
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for column in rows[0]:
        table.add_column(column.capitalize(), overflow="fold")
    for row in rows:
        table.add_row(*row.values())
    Console().print(table)
