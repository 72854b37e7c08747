"""When attribute inference fails an audit: the rule, in one place."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from gambeson.audit.checks.attributes_evidence import Leak
from gambeson.core.finding import Outcome, Severity
from gambeson.core.measurement import Measurement

_ADVANTAGE = ((0.15, Severity.HIGH), (0.05, Severity.MEDIUM), (0.01, Severity.LOW))
_MEMORISED = ((0.05, Severity.HIGH), (0.02, Severity.MEDIUM), (0.01, Severity.LOW))
_OPEN = 0.15
"""An advantage that may still be so large is no pass."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """Outcome, severity if it failed, and the reason if it stays open."""

    outcome: Outcome
    severity: Severity = Severity.INFO
    reason: str = ""


def judge(leaks: Sequence[Leak], *, complete: bool) -> Verdict:
    """Fail what is both significant and large; pass nothing that a serious leak could hide behind.

    Failed: the lower end of an advantage is above 0.15 (high), 0.05 (medium) or 0.01 (low), or that of what was
    memorised above 0.05, 0.02 or 0.01. Not assessed: not failed, but an advantage may be above 0.15 for lack of rows,
    or not every feature was looked at.

    Args:
        leaks: Of every attribute, with and without the label.
        complete: Whether every attribute was looked at.
    """
    found = [_severity(leak.advantage, _ADVANTAGE) for leak in leaks]
    found += [_severity(leak.memorised, _MEMORISED) for leak in leaks if leak.memorised is not None]
    severity = max(found, key=lambda s: s.rank)
    if severity is not Severity.INFO:
        return Verdict(Outcome.FAILED, severity)
    if not complete:
        return Verdict(Outcome.NOT_ASSESSED, reason="not every feature was inferred")
    most = max(leak.advantage.interval.high for leak in leaks if leak.advantage.interval is not None)
    if most > _OPEN:
        return Verdict(
            Outcome.NOT_ASSESSED, reason=f"too few rows: the advantage may be as high as {most:.2f}"
        )
    return Verdict(Outcome.PASSED)


def _severity(figure: Measurement, steps: tuple[tuple[float, Severity], ...]) -> Severity:
    low = figure.interval.low if figure.interval is not None else 0.0
    return next((severity for limit, severity in steps if low > limit), Severity.INFO)
