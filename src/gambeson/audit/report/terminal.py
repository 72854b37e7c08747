"""The summary that a terminal shows: findings, coverage, gate."""

from __future__ import annotations

import re

from rich import box
from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from gambeson.audit.result import AuditReport, GateOutcome
from gambeson.core.finding import Family, Finding, Outcome, Severity
from gambeson.core.threat import Access

_OUTCOME = {
    Outcome.PASSED: ("pass", "green"),
    Outcome.FAILED: ("FAIL", "bold red"),
    Outcome.NOT_ASSESSED: ("not assessed", "yellow"),
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
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f]+")


def _text(value: str, style: str = "") -> Text:
    """Text from outside on one line, without the control characters that would drive the terminal."""
    return Text(_CONTROL.sub(" ", value), style)


def summary(report: AuditReport) -> RenderableType:
    """The report in short, for a terminal of 80 columns or more."""
    name, data = _text(report.model.name, "bold cyan"), _text(report.data.name)
    head = Text.assemble(("Audit of ", "bold"), name, " on ", data)
    head.append(f", profile {report.profile}, seed {report.seed}")
    threats = _text("; ".join(report.threats), "dim")
    return Group(Text(), head, threats, _findings(report), _coverage(report), _gate(report))


def _findings(report: AuditReport) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, expand=False, title_justify="left")
    table.add_column("Result", no_wrap=True)
    table.add_column("Severity", no_wrap=True)
    table.add_column("Check", no_wrap=True)
    table.add_column("What was found", overflow="fold")
    for finding in report.findings:
        word, style = _OUTCOME[finding.outcome]
        if finding.suppressed:
            word, style = f"{word} (accepted)", "dim"
        severity = finding.severity.value if finding.outcome is Outcome.FAILED else ""
        table.add_row(
            Text(word, style), Text(severity, _SEVERITY[finding.severity]), finding.check, _words(finding)
        )
    return table


def _words(finding: Finding) -> RenderableType:
    lines: list[RenderableType] = [_text(finding.title)]
    if finding.outcome in (Outcome.NOT_ASSESSED, Outcome.ERRORED):
        lines.append(_text(finding.reason, "yellow"))
    figures = finding.measurements[:_FIGURES]
    lines += [Text(f"{figure.name.replace('_', ' ')} {figure}", "dim") for figure in figures]
    lines += [_text(f"cut: {note}", "yellow") for note in finding.cut]
    if finding.suppressed:
        lines.append(_text(f"accepted: {finding.suppressed}", "dim"))
    return Group(*lines)


def _coverage(report: AuditReport) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, title="Coverage", title_justify="left")
    table.add_column("Attacker sees")
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
