"""The summary that a terminal shows: findings, coverage, gate."""

from __future__ import annotations

from collections.abc import Sequence

from rich import box
from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from gambeson.audit.report.figures import figure_name, figure_value, interval_ends, one_line
from gambeson.audit.result import AuditReport, GateOutcome
from gambeson.core.finding import Family, Finding, Outcome, Severity
from gambeson.core.measurement import Measurement
from gambeson.core.threat import Access

_OUTCOME = {
    Outcome.PASSED: ("pass", "green"),
    Outcome.FAILED: ("FAIL", "bold red"),
    Outcome.NOT_ASSESSED: ("not assessed", "dim"),
    Outcome.ERRORED: ("ERROR", "bold magenta"),
}
_SEVERITY = {
    Severity.CRITICAL: "bold red",
    Severity.HIGH: "red",
    Severity.MEDIUM: "yellow",
    Severity.LOW: "blue",
    Severity.INFO: "dim",
}
_GATE = {
    GateOutcome.OPEN: ("gate open", "bold green", "exit code 0"),
    GateOutcome.CLOSED: ("gate closed", "bold red", "exit code 1"),
    GateOutcome.INCOMPLETE: ("audit incomplete", "bold magenta", "exit code 2"),
}
_FIGURES = 3


def summary(report: AuditReport) -> RenderableType:
    """The report in short, for a terminal of 80 columns or more; it says everything without colour too."""
    gap = Text()
    return Group(gap, _head(report), gap, _findings(report), gap, _coverage(report), gap, _gate(report))


def _text(value: str, style: str = "") -> Text:
    return Text(one_line(value), style)


def _head(report: AuditReport) -> Table:
    grid = Table.grid(padding=(0, 2))
    grid.add_column(no_wrap=True)
    grid.add_column(overflow="fold")
    grid.add_row(Text("Audit of", "bold"), _text(report.model.name, "bold cyan"))
    grid.add_row("on", _text(report.data.name))
    for number, threat in enumerate(report.threats):
        grid.add_row("" if number else "against", _text(threat))
    grid.add_row("with", _text(f"profile {report.profile}, seed {report.seed}", "dim"))
    return grid


def _findings(report: AuditReport) -> RenderableType:
    if not report.findings:
        return Text("Nothing was looked at.", "yellow")
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    table.add_column("Result", min_width=8, max_width=8)
    table.add_column("Check", no_wrap=True, max_width=24, overflow="ellipsis")
    table.add_column("What was found", overflow="fold")
    for number, finding in enumerate(report.findings):
        if number:
            table.add_row()
        table.add_row(_result(finding), _text(finding.check), _words(finding))
    return table


def _result(finding: Finding) -> Text:
    """The outcome, and under it what it is worth: a severity, or that the team accepts it."""
    word, style = _OUTCOME[finding.outcome]
    if finding.suppressed:
        return Text(f"{word}\naccepted", "dim")
    text = Text(word, style)
    if finding.outcome is Outcome.FAILED:
        text.append(f"\n{finding.severity}", _SEVERITY[finding.severity])
    return text


def _words(finding: Finding) -> RenderableType:
    lines: list[RenderableType] = [_text(finding.title)]
    if finding.reason:
        lines.append(_text(finding.reason, "yellow"))
    if finding.measurements:
        lines.append(_figures(finding.measurements[:_FIGURES]))
    lines += [_text(f"left out: {note}", "yellow") for note in finding.cut]
    if finding.suppressed:
        lines.append(_text(f"accepted: {finding.suppressed}", "dim"))
    return Group(*lines)


def _figures(figures: Sequence[Measurement]) -> Table:
    """Figures below one another: name, value, interval, n."""
    grid = Table.grid(padding=(0, 1))
    grid.add_column(style="dim")
    grid.add_column(justify="right", no_wrap=True)
    grid.add_column(style="dim")
    grid.add_column(style="dim")
    for figure in figures:
        ends = interval_ends(figure)
        interval = Text(f"[{ends[0]}, {ends[1]}]" if ends else "")
        grid.add_row(_text(figure_name(figure)), Text(figure_value(figure)), interval, f"n={figure.n}")
    return grid


def _coverage(report: AuditReport) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    table.add_column("Attacker sees →")
    for access in Access:
        table.add_column(str(access))
    cells = {(cell.family, cell.access): cell for cell in report.coverage}
    for family in Family:
        row = [Text(*_OUTCOME[cells[family, access].outcome]) for access in Access]
        table.add_row(family.value, *row)
    return table


def _gate(report: AuditReport) -> RenderableType:
    word, style, code = _GATE[report.gate.outcome]
    limit = report.gate.fail_on
    rule = f"fails on severity {limit} or above" if limit else "never fails on severity"
    line = Text.assemble((word, style), f"  ({code}; {rule})")
    reasons = [Padding(_text(f"- {reason}"), (0, 0, 0, 2)) for reason in report.gate.reasons]
    return Group(line, *reasons)
