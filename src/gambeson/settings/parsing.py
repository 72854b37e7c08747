"""Reads single values as people write them."""

from __future__ import annotations

import math
import re

from gambeson.core.errors import UsageError
from gambeson.core.finding import Severity

_DURATION = re.compile(r"^(?:(\d+(?:\.\d+)?)h)?(?:(\d+(?:\.\d+)?)m)?(?:(\d+(?:\.\d+)?)s?)?$")


def parse_eps(value: str | float) -> tuple[float, str]:
    """A radius and its unit: ``8/255`` and ``0.03`` are in input units, ``10%`` is a share of the range.

    Raises:
        UsageError: It is no such value.
    """
    text = str(value).strip()
    unit = "range" if text.endswith("%") else "input"
    top, slash, bottom = text.removesuffix("%").partition("/")
    try:
        number = float(top) / float(bottom) if slash else float(top)
    except (ValueError, ZeroDivisionError):
        number = math.nan
    if not math.isfinite(number):
        raise UsageError(
            f"eps is {text!r}.", expected="a number, a fraction such as 8/255, or a share such as 10%"
        )
    return (number / 100 if unit == "range" else number), unit


def parse_duration(value: str | float) -> float:
    """Seconds of ``90s``, ``10m``, ``1h30m`` or a plain number of seconds.

    Raises:
        UsageError: It is no such value, or not above 0.
    """
    text = str(value).strip()
    match = _DURATION.match(text)
    seconds = 0.0
    if text and match:
        hours, minutes, rest = (float(part or 0) for part in match.groups())
        seconds = hours * 3600 + minutes * 60 + rest
    if seconds <= 0:
        raise UsageError(
            f"The time budget is {text!r}.", expected="a time above 0, such as 90s, 10m or 1h30m"
        )
    return seconds


def parse_severity(text: str) -> Severity | None:
    """A severity by name; ``never`` is ``None``.

    Raises:
        UsageError: Any other word.
    """
    if text.lower() == "never":
        return None
    try:
        return Severity(text.lower())
    except ValueError:
        raise UsageError(f"Unknown severity {text!r}.", expected="never, " + ", ".join(Severity)) from None
