"""The report as one self-contained HTML page: no script from elsewhere, no font, no picture, no network."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass
from datetime import datetime
from importlib.resources import files

from gambeson.audit.report.charts import curve_svg
from gambeson.audit.report.figures import figure_name, figure_value, interval_ends, valid_unicode
from gambeson.audit.report.gallery import choose_pictures
from gambeson.audit.report.taxonomy import TaxonomyEntry, describe_id
from gambeson.audit.result import AuditReport, Cell, Gate, GateOutcome
from gambeson.core.errors import UsageError
from gambeson.core.finding import Family, Finding, Outcome
from gambeson.core.measurement import Measurement
from gambeson.core.threat import Access

_SHOWN = 8
"""Figures of a finding in view; the others are folded away."""
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
_OUTCOME = {
    Outcome.PASSED: "passed",
    Outcome.FAILED: "failed",
    Outcome.NOT_ASSESSED: "not assessed",
    Outcome.ERRORED: "errored",
}


def to_html(report: AuditReport) -> str:
    """Render the page.

    Everything from the report is escaped; the content security policy allows this page's own style and script
    by their hashes and nothing else.
    """
    from jinja2 import Environment, FunctionLoader, StrictUndefined
    from markupsafe import Markup

    environment = Environment(
        loader=FunctionLoader(_template),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "outcome": lambda value: _OUTCOME[value],
        "figure": figure_value,
        "ends": interval_ends,
        "chart": lambda curve: Markup(curve_svg(curve)),  # noqa: S704 - escapes what it is given
        "bar": _bar,
        "words": figure_name,
        "moment": _moment,
        "taxonomy": _taxonomy,
    }
    style, script = _template("report.css"), _template("report.js")
    page: str = environment.get_template("report.html.j2").render(
        report=report,
        verdict=_VERDICT[report.gate.outcome],
        gate_words=_gate_words(report.gate),
        tally=_tally(report),
        accepted=sum(bool(finding.suppressed) for finding in report.findings),
        rows=_coverage(report),
        key_figures=_key_figures(report),
        galleries=choose_pictures(report.findings),
        catalogues=_catalogues(report),
        levels=list(Access),
        shown=_SHOWN,
        style=Markup(style),  # noqa: S704 - our own file
        script=Markup(script),  # noqa: S704 - our own file
        policy=f"default-src 'none'; base-uri 'none'; form-action 'none'; img-src data:; "
        f"style-src '{_hash(style)}'; script-src '{_hash(script)}'",
    )
    return valid_unicode(page)


@dataclass(frozen=True, slots=True)
class _Bar:
    """An interval on the scale from 0 to 1, in percent of its length."""

    low: float
    width: float
    at: float


def _bar(measurement: Measurement) -> _Bar | None:
    """The interval as a bar, for figures between 0 and 1."""
    interval = measurement.interval
    if interval is None or not 0 <= interval.low <= interval.high <= 1:
        return None
    return _Bar(
        round(interval.low * 100, 2),
        round((interval.high - interval.low) * 100, 2),
        round(measurement.value * 100, 2),
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


def _taxonomy(identifier: str) -> TaxonomyEntry:
    try:
        return describe_id(identifier)
    except UsageError:
        return TaxonomyEntry(identifier, "", "", "")


def _catalogues(report: AuditReport) -> list[str]:
    """Name and edition of every catalogue that an identifier of the report comes from."""
    used = (_taxonomy(identifier).release for finding in report.findings for identifier in finding.taxonomy)
    return sorted(set(filter(None, used)))


def _moment(started: str) -> str:
    """``2026-01-02T03:04:05+00:00`` as "2 January 2026, 03:04 UTC"; other text as it is."""
    try:
        moment = datetime.fromisoformat(started)
    except ValueError:
        return started
    return f"{moment.day} {moment:%B %Y, %H:%M %Z}".rstrip()


def _template(name: str) -> str:
    return (files("gambeson.audit.report") / "templates" / name).read_text(encoding="utf-8")


def _hash(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
