"""``gambeson scan``: what loading files would do, found out without loading them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from gambeson.interfaces.cli.progress import choose_progress

if TYPE_CHECKING:
    from gambeson.core.finding import Severity
    from gambeson.service.scanning import ScanReport

_SHOWN = 50
_STYLES = {"critical": "bold red", "high": "red", "medium": "yellow", "low": "blue", "info": "dim"}
_GATES = {"open": "bold green", "closed": "bold red", "incomplete": "bold magenta"}

Paths = Annotated[list[str], typer.Argument(metavar="PATH...", help="Files and folders", show_default=False)]
FailOn = Annotated[
    str,
    typer.Option(
        "--fail-on", metavar="SEVERITY", help="Closes the gate: never, low, medium, high or critical (default: high)",
        show_default=False,
    ),
]  # fmt: skip
Digest = Annotated[
    str,
    typer.Option("--digest", metavar="NAME", help="sha256 or blake3 (default: sha256)", show_default=False),
]
Jobs = Annotated[
    str,
    typer.Option(
        "--jobs",
        "-j",
        metavar="N",
        help="Processes that scan at the same time (default: 1)",
        show_default=False,
    ),
]
Sarif = Annotated[
    Path | None,
    typer.Option("--sarif", metavar="FILE", help="Write the findings as SARIF 2.1.0", show_default=False),
]
AsJson = Annotated[
    bool, typer.Option("--json", metavar="", help="Print JSON on stdout: every file with its digest")
]
NoProgress = Annotated[bool, typer.Option("--no-progress", metavar="", help="No progress")]


def scan(
    paths: Paths,
    fail_on: FailOn = "high",
    digest: Digest = "sha256",
    jobs: Jobs = "1",
    sarif: Sarif = None,
    as_json: AsJson = False,
    no_progress: NoProgress = False,
) -> int:
    """Find what would run, read or escape if these files were loaded or unpacked; nothing is loaded."""
    from gambeson.interfaces.cli.words import whole_number
    from gambeson.service.scanning import ScanCommand, run_scan

    command = ScanCommand(tuple(paths), _severity(fail_on), digest, whole_number("--jobs", jobs))
    with choose_progress(quiet=no_progress) as progress:
        report = run_scan(command, progress)
    if sarif is not None:
        _write_sarif(sarif, report)
    if as_json:
        typer.echo(report.to_json(), nl=False)
    else:
        _show(Console(), report)
    return report.exit_code


def _severity(text: str) -> Severity | None:
    """The severity that closes the gate; ``None`` for never.

    Raises:
        UsageError: It is none of them.
    """
    from gambeson.core.errors import UsageError
    from gambeson.core.finding import Severity

    if text == "never":
        return None
    if text not in ("low", "medium", "high", "critical"):
        raise UsageError(f"--fail-on is {text!r}.", expected="never, low, medium, high or critical")
    return Severity(text)


def _write_sarif(path: Path, report: ScanReport) -> None:
    from gambeson.adapters.files import write_whole
    from gambeson.service.scan_sarif import scan_to_sarif

    write_whole(path, scan_to_sarif(report).encode())


def _show(console: Console, report: ScanReport) -> None:
    from gambeson.service.scanning import worst_files

    bad = worst_files(report, _SHOWN)
    if bad:
        table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
        for column in ("Severity", "Rule", "What was found"):
            table.add_column(column, overflow="fold", no_wrap=column == "Severity")
        for file in bad:
            if file.reason:
                table.add_row(
                    Text("error", "bold magenta"), "", Text(f"{_plain(file.path)}: {_plain(file.reason)}")
                )
            for item in file.findings[:5]:
                style = _STYLES[item.severity.value]
                body = Text(f"{_plain(item.title)}\n").append(_plain(item.target), "cyan")
                body.append(f"\n{item.remedy}", "dim")
                table.add_row(Text(item.severity.value, style), item.check.removeprefix("scan."), body)
        console.print(table)
    counts = report.counts
    console.print(
        f"{len(report.files)} files: {counts['PASSED']} passed, {counts['FAILED']} failed, "
        f"{counts['NOT_ASSESSED']} not assessed, {counts['ERRORED']} could not be read",
        highlight=False,
    )
    skipped = [
        file
        for file in report.files
        if file.reason and not file.format and file.outcome.value == "NOT_ASSESSED"
    ]
    for file in skipped[:_SHOWN]:
        console.print(Text(f"skipped {_plain(file.path)}: {_plain(file.reason)}", "dim"))
    limit = f"fails on {report.fail_on} or above" if report.fail_on else "never fails on severity"
    style = _GATES[report.gate]
    console.print(
        f"[{style}]gate {escape(report.gate)}[/]  (exit code {report.exit_code}; {limit})", highlight=False
    )


def _plain(text: str) -> str:
    from gambeson.audit.report.figures import one_line

    return one_line(text)
