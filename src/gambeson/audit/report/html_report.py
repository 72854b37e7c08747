"""The report as one self-contained HTML page: no script from elsewhere, no font, no picture, no network."""

from __future__ import annotations

from gambeson.audit.report.gallery import choose_pictures
from gambeson.audit.report.templating import describe_taxonomy, render_page
from gambeson.audit.result import AuditReport, Cell, Gate, GateOutcome
from gambeson.core.finding import Family, Finding, Outcome
from gambeson.core.measurement import Measurement
from gambeson.core.threat import Access

_VERDICT = {
    GateOutcome.OPEN: (
        "The gate is open",
        "Exit code 0: nothing at or above the gate.",
    ),
    GateOutcome.CLOSED: ("The gate is closed", "Exit code 1: the findings named here hold up the release."),
    GateOutcome.INCOMPLETE: (
        "The audit is incomplete",
        "Exit code 2: a check could not finish, so nothing is decided.",
    ),
}


def to_html(report: AuditReport) -> str:
    """Render the page.

    Everything from the report is escaped; the content security policy allows this page's own style and script
    by their hashes and nothing else.
    """
    return render_page(
        "report.html.j2",
        report=report,
        source="report.json",
        verdict=_VERDICT[report.gate.outcome],
        gate_words=_gate_words(report.gate),
        tally=_tally(report),
        accepted=sum(bool(finding.suppressed) for finding in report.findings),
        rows=_coverage(report),
        key_figures=_key_figures(report),
        galleries=choose_pictures(report.findings),
        catalogues=_catalogues(report),
        levels=list(Access),
    )


def _gate_words(gate: Gate) -> str:
    """What closes the gate, in one line."""
    rules = [f"a failed finding of severity {gate.fail_on} or above"] if gate.fail_on else []
    rules += [f"{name} not {rule.strip()}" for name, rule in gate.thresholds]
    return f"Closed by: {'; '.join(rules)}." if rules else "No rule was set that could close it."


def _tally(report: AuditReport) -> list[tuple[int, Outcome]]:
    """How often each outcome came about among the findings that count, worst first."""
    outcomes = [finding.outcome for finding in report.findings if not finding.suppressed]
    worst_first = (Outcome.FAILED, Outcome.ERRORED, Outcome.NOT_ASSESSED, Outcome.PASSED)
    return [(outcomes.count(outcome), outcome) for outcome in worst_first if outcome in outcomes]


def _key_figures(report: AuditReport) -> list[tuple[str, Finding, Measurement]]:
    """The first figure of every finding that has one, and where on the page the finding stands."""
    return [
        (f"f{number}", finding, finding.measurements[0])
        for number, finding in enumerate(report.findings, 1)
        if finding.measurements
    ]


def _coverage(report: AuditReport) -> list[tuple[Family, list[Cell]]]:
    cells = {(cell.family, cell.access): cell for cell in report.coverage}
    return [(family, [cells[family, access] for access in Access]) for family in Family]


def _catalogues(report: AuditReport) -> list[str]:
    """Name and edition of every catalogue that an identifier of the report comes from."""
    used = (
        describe_taxonomy(identifier).release
        for finding in report.findings
        for identifier in finding.taxonomy
    )
    return sorted(set(filter(None, used)))
