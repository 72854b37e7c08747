"""When membership inference fails an audit: the rule, in one place."""

from __future__ import annotations

from dataclasses import dataclass

from gambeson.audit.checks.membership_evidence import EXPOSURE_FPR, Figures
from gambeson.core.finding import Outcome, Severity
from gambeson.core.measurement import Interval, Measurement
from gambeson.core.stats import clopper_pearson

_AREA = ((0.75, Severity.HIGH), (0.6, Severity.MEDIUM))
_EXPOSURE = ((0.1, Severity.HIGH), (0.03, Severity.MEDIUM))


@dataclass(frozen=True, slots=True)
class Verdict:
    """Outcome, severity if it failed, and the reason if it stays open."""

    outcome: Outcome
    severity: Severity = Severity.INFO
    reason: str = ""


def judge(figures: Figures, nonmembers: int, *, unfinished: bool) -> Verdict:
    """Fail what is both significant and large; pass nothing that a serious leak could hide behind.

    Failed, high: the lower 95% bound of the strongest attack's AUC is above 0.75, or that of its TPR at 1%
    FPR is above 0.10. Failed, medium: above 0.60, or above 0.03 (three times chance). The TPR counts only
    where it also exceeds the upper bound of the false-positive rate that so few non-members can certify.
    Not assessed: not failed, but the upper bound of the AUC is above 0.75, or the stronger attacks were
    planned and time ran out. What was found stays found, so a failure stands in any case.

    Args:
        figures: The strongest attack's figures.
        nonmembers: Number of non-members.
        unfinished: Whether time ran out before every planned kind of attack was run.
    """
    exposed = _severity(_low(figures.exposure), _EXPOSURE)
    if _low(figures.exposure) <= _chance(nonmembers):
        exposed = Severity.INFO
    severity = max(_severity(_low(figures.area), _AREA), exposed, key=lambda s: s.rank)
    if severity is not Severity.INFO:
        return Verdict(Outcome.FAILED, severity)
    if unfinished:
        return Verdict(
            Outcome.NOT_ASSESSED, reason="time ran out before attacks with reference models were run"
        )
    if _interval(figures.area).high > _AREA[0][0]:
        reason = f"too few records: the AUC may be as high as {_interval(figures.area).high:.2f}"
        return Verdict(Outcome.NOT_ASSESSED, reason=reason)
    return Verdict(Outcome.PASSED)


def _severity(bound: float, steps: tuple[tuple[float, Severity], ...]) -> Severity:
    return next((severity for limit, severity in steps if bound > limit), Severity.INFO)


def _chance(nonmembers: int) -> float:
    """Highest false-positive rate that the threshold may truly have, at 97.5% confidence."""
    return clopper_pearson(int(EXPOSURE_FPR * nonmembers), nonmembers).high


def _low(figure: Measurement | None) -> float:
    return 0.0 if figure is None else _interval(figure).low


def _interval(figure: Measurement) -> Interval:
    assert figure.interval is not None
    return figure.interval
