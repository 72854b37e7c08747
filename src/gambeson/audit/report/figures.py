"""A figure as one line of plain text, for the formats that machines show to people."""

from __future__ import annotations

from gambeson.core.finding import Finding
from gambeson.core.measurement import Measurement


def figure_line(figure: Measurement) -> str:
    """Such as ``robust accuracy 0.410 [0.367, 0.453] (n=200), 95% wilson; PGD-40``."""
    unit = "" if figure.unit in ("", "fraction") else f" {figure.unit}"
    interval = figure.interval
    method = f", {interval.level:.0%} {interval.method}" if interval else ""
    detail = f"; {figure.detail}" if figure.detail else ""
    return f"{figure.name.replace('_', ' ')} {figure}{unit}{method}{detail}"


def finding_key(finding: Finding) -> str:
    """What identifies a finding: ``<check>@<target>``, or the check alone where there is no target."""
    return f"{finding.check}@{finding.target}" if finding.target else finding.check
