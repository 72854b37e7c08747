"""When inversion fails."""

from __future__ import annotations

import pytest

from gambeson.audit.checks.inversion_verdict import judge_inversion
from gambeson.core.finding import Outcome, Severity
from gambeson.core.stats import proportion

GOOD_JUDGE, WEAK_JUDGE = proportion("judge", 980, 1_000), proportion("judge", 700, 1_000)
BASELINE = proportion("own", 0, 300)


def verdict(hits: int, *, judge=GOOD_JUDGE, records=None, unfinished: int = 0, baseline=BASELINE):
    return judge_inversion(proportion("top1", hits, 50), baseline, records, judge, unfinished)


@pytest.mark.parametrize(
    ("hits", "severity"),
    [
        (50, Severity.MEDIUM),
        (34, Severity.MEDIUM),
        (30, Severity.LOW),
        (20, Severity.LOW),
        (10, Severity.INFO),
    ],
)
def test_severity_grows_with_the_gain(hits, severity):
    found = verdict(hits)
    assert found.severity is severity
    assert (found.outcome is Outcome.FAILED) == (severity is not Severity.INFO)


def test_what_the_attacker_held_anyway_does_not_count():
    assert verdict(30, baseline=proportion("own", 150, 300)).outcome is Outcome.PASSED


def test_single_records_are_worse_than_classes():
    clear, unclear = proportion("records", 48, 50), proportion("records", 30, 50)
    assert verdict(50, records=clear).severity is Severity.HIGH
    assert verdict(50, records=unclear).severity is Severity.MEDIUM
    assert verdict(5, records=clear).outcome is Outcome.PASSED


def test_nothing_passes_that_a_leak_could_hide_behind():
    assert "weak" in verdict(5, judge=WEAK_JUDGE).reason or "70%" in verdict(5, judge=WEAK_JUDGE).reason
    assert verdict(5, judge=WEAK_JUDGE).outcome is Outcome.NOT_ASSESSED
    assert verdict(5, unfinished=3).outcome is Outcome.NOT_ASSESSED
    assert verdict(50, judge=WEAK_JUDGE, unfinished=3).outcome is Outcome.FAILED
