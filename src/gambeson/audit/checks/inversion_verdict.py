"""When model inversion fails an audit: the rule, in one place."""

from __future__ import annotations

from dataclasses import dataclass

from gambeson.core.finding import Outcome, Severity
from gambeson.core.measurement import Interval, Measurement

STRONG_JUDGE = 0.9
_GAIN = ((0.5, Severity.MEDIUM), (0.2, Severity.LOW))
_RECORD = 0.6


@dataclass(frozen=True, slots=True)
class Verdict:
    """Outcome, severity if it failed, and the reason if it stays open."""

    outcome: Outcome
    severity: Severity = Severity.INFO
    reason: str = ""


def judge_inversion(
    top1: Measurement, baseline: Measurement, records: Measurement | None, judge: Measurement, unfinished: int
) -> Verdict:
    """Fail where the model shows more of its classes than the attacker's own inputs do.

    The gain is the lower bound of the share of recognised reconstructions minus the upper bound of the share of the
    attacker's own inputs that the judge takes for the wanted class. Failed, low: above 0.2; medium: above 0.5: it is
    known what the class looks like. High: medium, and the reconstructions lie nearer to training records than to
    fresh records of the class, lower bound above 0.6 (0.5 is chance): single records show.

    Args:
        top1: Of the strongest attack.
        baseline: Of the attacker's own inputs.
        records: Share of classes whose reconstructions are nearer to a training record, or ``None`` where unknown.
        judge: The judge's accuracy.
        unfinished: Wanted classes that were left out for lack of time.
    """
    gain = _interval(top1).low - _interval(baseline).high
    severity = next((s for least, s in _GAIN if gain > least), Severity.INFO)
    if severity is Severity.MEDIUM and records is not None and _interval(records).low > _RECORD:
        severity = Severity.HIGH
    if severity is not Severity.INFO:
        return Verdict(Outcome.FAILED, severity)
    if unfinished:
        return Verdict(
            Outcome.NOT_ASSESSED, reason=f"time ran out before {unfinished} classes were reconstructed"
        )
    if judge.value < STRONG_JUDGE:
        reason = (
            f"the judge is right on {judge.value:.0%} of fresh inputs only: it may not recognise what it sees"
        )
        return Verdict(Outcome.NOT_ASSESSED, reason=reason)
    return Verdict(Outcome.PASSED)


def _interval(figure: Measurement) -> Interval:
    assert figure.interval is not None
    return figure.interval
