"""The report as one self-contained HTML page: no script from elsewhere, no font, no picture, no network."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass
from importlib.resources import files

from gambeson.audit.report.charts import curve_svg
from gambeson.audit.report.taxonomy import TaxonomyEntry, describe_id
from gambeson.audit.result import AuditReport, Cell, GateOutcome
from gambeson.core.errors import UsageError
from gambeson.core.finding import Family, Finding, Outcome
from gambeson.core.measurement import Measurement
from gambeson.core.threat import Access

_VERDICT = {
    GateOutcome.OPEN: ("The gate is open", "Nothing was found at or above the gate. Exit code 0."),
    GateOutcome.CLOSED: ("The gate is closed", "Something was found at or above the gate. Exit code 1."),
    GateOutcome.INCOMPLETE: ("The audit is incomplete", "A check could not finish. Exit code 2."),
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
        "figure": figure,
        "chart": lambda curve: Markup(curve_svg(curve)),  # noqa: S704 - escapes what it is given
        "bar": _bar,
        "words": lambda name: str(name).replace("_", " ").replace("pct", "%"),
        "taxonomy": _taxonomy,
    }
    style, script = _template("report.css"), _template("report.js")
    page: str = environment.get_template("report.html.j2").render(
        report=report,
        verdict=_VERDICT[report.gate.outcome],
        rows=_coverage(report),
        key_figures=_key_figures(report),
        levels=list(Access),
        style=Markup(style),  # noqa: S704 - our own file
        script=Markup(script),  # noqa: S704 - our own file
        policy=f"default-src 'none'; img-src data:; style-src '{_hash(style)}'; script-src '{_hash(script)}'",
    )
    return page


def figure(measurement: Measurement) -> str:
    """A value as people read it: rates in percent, counts plainly."""
    if measurement.unit == "fraction" and not measurement.name.endswith("auc"):
        return f"{measurement.value:.1%}"
    return f"{measurement.value:.4g}"


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


def _key_figures(report: AuditReport) -> list[tuple[Finding, Measurement]]:
    """The first figure of every finding that has one."""
    return [(finding, finding.measurements[0]) for finding in report.findings if finding.measurements]


def _coverage(report: AuditReport) -> list[tuple[Family, list[Cell]]]:
    cells = {(cell.family, cell.access): cell for cell in report.coverage}
    return [(family, [cells[family, access] for access in Access]) for family in Family]


def _taxonomy(identifier: str) -> TaxonomyEntry:
    try:
        return describe_id(identifier)
    except UsageError:
        return TaxonomyEntry(identifier, "", "", "")


def _template(name: str) -> str:
    return (files("gambeson.audit.report") / "templates" / name).read_text(encoding="utf-8")


def _hash(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
