"""``gambeson list``: what there is to run."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Annotated

import typer
from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

app = typer.Typer(help="List the checks, attacks and recipes there are.", no_args_is_help=True)

AsJson = Annotated[bool, typer.Option("--json", metavar="", help="Print JSON.")]
Row = dict[str, str | Sequence[str]]


@app.command("checks")
def list_checks(as_json: AsJson = False) -> None:
    """List the checks that an audit can run."""
    from gambeson.audit.base import checks

    rows: list[Row] = [
        {
            "check": entry.name,
            "family": entry.facts.family.value,
            "access": entry.facts.access.value,
            "question": entry.facts.question,
            "taxonomy": entry.facts.taxonomy,
        }
        for entry in checks
    ]
    _show(rows, as_json)


@app.command("attacks")
def list_attacks(as_json: AsJson = False) -> None:
    """List the attacks that the checks use, with the access they need."""
    from gambeson.attacks.base import evasion
    from gambeson.attacks.privacy.base import privacy

    rows = [_attack("evasion", e.name, e.facts.access, e.facts.source, e.facts.norms) for e in evasion]
    rows += [_attack("privacy", e.name, e.facts.access, e.facts.source) for e in privacy]
    _show(rows, as_json)


@app.command("recipes")
def list_recipes(as_json: AsJson = False) -> None:
    """List the recipes that gambeson harden trains by."""
    from gambeson.defenses.answers import answers
    from gambeson.defenses.fitted import fitted_recipes
    from gambeson.defenses.poisoning.removal import removals
    from gambeson.defenses.private.base import private_recipes
    from gambeson.defenses.training.base import recipes
    from gambeson.defenses.transformations import transformations

    kinds = (*recipes, *private_recipes, *fitted_recipes, *transformations, *answers, *removals)
    rows: list[Row] = [
        {"recipe": e.name, "summary": e.facts.summary, "source": e.facts.source}
        for e in sorted(kinds, key=lambda e: e.name)
    ]
    _show(rows, as_json)


@app.command("poisonings")
def list_poisonings(as_json: AsJson = False) -> None:
    """List the attacks on training data that gambeson data poison knows."""
    from gambeson.attacks.poisoning.base import poisonings

    rows: list[Row] = [
        {
            "attack": e.name,
            "goal": e.facts.goal,
            "changes": e.facts.changes,
            "works on": [
                k for k, works in (("pictures", e.facts.pictures), ("tables", e.facts.tables)) if works
            ],
            "source": e.facts.source,
        }
        for e in poisonings
    ]
    _show(rows, as_json)


def _attack(family: str, name: str, access: str, source: str, norms: Sequence[str] = ()) -> Row:
    return {
        "attack": name,
        "family": family,
        "access": str(access),
        "norms": [str(norm) for norm in norms],
        "source": source,
    }


def _show(rows: list[Row], as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps(rows, indent=1))
        return
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for column in rows[0]:
        table.add_column(column.capitalize(), overflow="fold")
    for row in rows:
        cells = (value if isinstance(value, str) else ", ".join(value) for value in row.values())
        table.add_row(*(Text(cell) for cell in cells))
    Console().print(table)
