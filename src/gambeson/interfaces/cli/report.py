"""``gambeson report``: open, compare and re-render reports."""

from __future__ import annotations

import webbrowser
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from gambeson.audit.result import AuditReport
from gambeson.core.errors import UsageError
from gambeson.interfaces.cli.words import split_words

app = typer.Typer(help="Open, compare and render reports.", no_args_is_help=True)

Where = Annotated[
    Path, typer.Argument(metavar="REPORT", help="A report.json, or the folder that an audit wrote")
]


def read_report(path: Path) -> AuditReport:
    """The report in a file or folder.

    Raises:
        UsageError: There is none.
        IntegrityError: It is damaged.
    """
    from gambeson.audit.report.json_report import from_json

    file = path / "report.json" if path.is_dir() else path
    try:
        return from_json(file.read_bytes())
    except OSError as error:
        raise UsageError(
            f"{file} cannot be read: {error.strerror}.", expected="a report.json, or the folder of an audit"
        ) from None


@app.command("open")
def open_report(
    path: Where,
    print_path: Annotated[
        bool, typer.Option("--print-path", metavar="", help="Print the path instead of opening a browser")
    ] = False,
) -> None:
    """Open the HTML report in a browser."""
    folder = path.parent if path.is_file() or path.suffix == ".html" else path
    page = (path if path.suffix == ".html" else folder / "report.html").resolve()
    if not page.is_file():
        raise UsageError(
            f"There is no {page.name} in {folder}.",
            remedy=f"gambeson report render {folder} --format html --out {folder}"
            if (folder / "report.json").is_file()
            else "give the folder that gambeson audit wrote, by default gambeson-audit",
        )
    if print_path or not webbrowser.open(page.as_uri()):
        typer.echo(page)


@app.command("diff")
def diff(
    before: Annotated[Path, typer.Argument(metavar="BEFORE", help="The earlier report.json or its folder")],
    after: Annotated[Path, typer.Argument(metavar="AFTER", help="The later one")],
    as_json: Annotated[bool, typer.Option("--json", metavar="", help="Print the difference as JSON")] = False,
) -> None:
    """Say what changed between two audits, and which changes are more than chance."""
    from gambeson.audit.report.diff import compare_reports, diff_summary

    change = compare_reports(read_report(before), read_report(after))
    if as_json:
        typer.echo(change.to_json(), nl=False)
    else:
        Console().print(diff_summary(change))


@app.command("render")
def render(
    path: Where,
    out: Annotated[
        Path, typer.Option("--out", "-o", metavar="FOLDER", help="For the files", show_default="this one")
    ] = Path(),
    formats: Annotated[
        list[str] | None,
        typer.Option("--format", "-f", metavar="NAMES", help="json, html, sarif, junit (default: html)"),
    ] = None,
) -> None:
    """Render a report.json in other formats, without running anything again."""
    from gambeson.audit.report.writing import write_reports

    for file in write_reports(read_report(path), out, split_words(formats) or ("html",)).values():
        typer.echo(file)
