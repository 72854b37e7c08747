"""A figure as text, the same in every format: rates in percent for people, plain numbers for machines."""

from __future__ import annotations

import re

from gambeson.core.finding import Finding
from gambeson.core.measurement import Measurement

# C0 and C1 controls drive a terminal; line separators and bidirectional overrides make text look like other text.
_UNPRINTABLE = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]+")


def figure_line(figure: Measurement) -> str:
    """Such as ``robust accuracy 0.410 [0.367, 0.453] (n=200), 95% wilson; PGD-40``."""
    unit = "" if figure.unit in ("", "fraction") else f" {figure.unit}"
    interval = figure.interval
    method = f", {interval.level:.0%} {interval.method}" if interval else ""
    detail = f"; {figure.detail}" if figure.detail else ""
    return f"{figure.name.replace('_', ' ')} {figure}{unit}{method}{detail}"


def figure_name(figure: Measurement) -> str:
    """Its name in words: ``rmia.tpr_at_0.1pct_fpr`` reads ``rmia: TPR at 0.1% FPR``."""
    words = re.sub(r"\.(?!\d)", ": ", figure.name).replace("_", " ").replace("pct", "%")
    words = re.sub(r"\btop(\d)", r"top-\1 accuracy of the judge", words)
    return re.sub(r"\b(auc|tpr|fpr|png)\b", lambda match: match.group().upper(), words)


def figure_value(figure: Measurement) -> str:
    """The value as people read it: rates in percent, areas with three decimals, all else with its unit."""
    unit = "" if figure.unit in ("", "fraction") else f" {figure.unit}"
    return _number(figure.value, figure) + unit


def interval_ends(figure: Measurement) -> tuple[str, str] | None:
    """Both ends of its interval, written like the value; ``None`` for an exact figure."""
    if figure.interval is None:
        return None
    return _number(figure.interval.low, figure), _number(figure.interval.high, figure)


def _number(value: float, figure: Measurement) -> str:
    if figure.unit != "fraction":
        return f"{value:,.0f}" if value == int(value) and abs(value) < 1e9 else f"{value:.4g}"
    return f"{value:.3f}" if figure.name.endswith("auc") else f"{value:.1%}"


def finding_key(finding: Finding) -> str:
    """What identifies a finding: ``<check>@<target>``, or the check alone where there is no target."""
    return f"{finding.check}@{finding.target}" if finding.target else finding.check


def one_line(text: str) -> str:
    """Text from outside as one line that drives no terminal and hides nothing."""
    return valid_unicode(_UNPRINTABLE.sub(" ", text))


def valid_unicode(text: str) -> str:
    """The text with lone surrogates, which stand for undecodable bytes in file names, as question marks."""
    return text.encode("utf-8", "replace").decode("utf-8")
