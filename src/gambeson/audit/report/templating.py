"""What the HTML pages share: templates, filters, style, script, and the policy that keeps the network out."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass
from datetime import datetime
from importlib.resources import files

from gambeson.audit.report.bars import bars_svg, histogram_svg
from gambeson.audit.report.charts import curve_svg
from gambeson.audit.report.figures import figure_name, figure_value, interval_ends, valid_unicode
from gambeson.audit.report.taxonomy import TaxonomyEntry, describe_id
from gambeson.core.errors import UsageError
from gambeson.core.finding import Outcome
from gambeson.core.measurement import Measurement

_SHOWN = 8
"""Figures of a finding in view; the others are folded away."""
_OUTCOME = {
    Outcome.PASSED: "passed",
    Outcome.FAILED: "failed",
    Outcome.NOT_ASSESSED: "not assessed",
    Outcome.ERRORED: "errored",
}


def render_page(template: str, **values: object) -> str:
    """Fill a template.

    Everything from outside is escaped; the content security policy allows the page's own style and script by their
    hashes and nothing else.

    Args:
        template: File name in ``templates/``.
        values: Whatever the template needs beyond ``style``, ``script``, ``policy`` and ``shown``.
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
        "bars": lambda bars: Markup(bars_svg(bars)),  # noqa: S704 - escapes what it is given
        "histogram": lambda histogram: Markup(histogram_svg(histogram)),  # noqa: S704 - escapes what it is given
        "cell": cell_text,
        "bar": _bar,
        "words": figure_name,
        "moment": _moment,
        "taxonomy": describe_taxonomy,
    }
    style, script = _template("report.css"), _template("report.js")
    page: str = environment.get_template(template).render(
        shown=_SHOWN,
        style=Markup(style),  # noqa: S704 - our own file
        script=Markup(script),  # noqa: S704 - our own file
        policy=f"default-src 'none'; base-uri 'none'; form-action 'none'; img-src data:; "
        f"style-src '{_hash(style)}'; script-src '{_hash(script)}'",
        **values,
    )
    return valid_unicode(page)


def cell_text(value: str | int | float | None) -> str:
    """A cell of a table: whole numbers in groups of three, others with four digits, a dash for the unknown."""
    match value:
        case None:
            return "–"
        case int():
            return f"{value:,}"
        case float():
            return f"{value:,.0f}" if abs(value) >= 1e4 else f"{value:.4g}"
    return value


def describe_taxonomy(identifier: str) -> TaxonomyEntry:
    """What an identifier stands for; one that no catalogue has stands for itself."""
    try:
        return describe_id(identifier)
    except UsageError:
        return TaxonomyEntry(identifier, "", "", "")


@dataclass(frozen=True, slots=True)
class _Bar:
    """An interval on the scale from 0 to 1, in percent of its length."""

    low: float
    width: float
    at: float


def _bar(measurement: Measurement) -> _Bar | None:
    """The interval as a bar, for fractions."""
    interval = measurement.interval
    if interval is None or measurement.unit != "fraction" or not 0 <= interval.low <= interval.high <= 1:
        return None
    return _Bar(
        round(interval.low * 100, 2),
        round((interval.high - interval.low) * 100, 2),
        round(measurement.value * 100, 2),
    )


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
