"""The rule by which membership inference fails an audit, at its limits."""

from __future__ import annotations

import pytest

from gambeson.audit.checks.membership_evidence import Figures
from gambeson.audit.checks.membership_verdict import judge
from gambeson.core.finding import Outcome, Severity
from gambeson.core.measurement import Interval, Measurement


def figures(area=(0.45, 0.55), exposure=(0.0, 0.02)) -> Figures:
    ends = [Measurement("m", sum(e) / 2, "fraction", 1, Interval(*e, "given")) if e else None
            for e in (area, exposure)]  # fmt: skip
    return Figures(ends[0], ends[1], (), (), "planted", ends[0])


@pytest.mark.parametrize(
    ("area", "exposure", "severity"),
    [
        ((0.59, 0.7), (0.029, 0.2), None),
        ((0.601, 0.7), (0.0, 0.2), Severity.MEDIUM),
        ((0.5, 0.6), (0.031, 0.2), Severity.MEDIUM),
        ((0.751, 0.8), (0.0, 0.2), Severity.HIGH),
        ((0.5, 0.6), (0.101, 0.2), Severity.HIGH),
        ((0.61, 0.7), (0.2, 0.3), Severity.HIGH),
        ((0.61, 0.7), None, Severity.MEDIUM),
    ],
)
def test_the_lower_bound_decides(area, exposure, severity):
    verdict = judge(figures(area, exposure), 10_000, unfinished=False)
    assert verdict.outcome is (Outcome.PASSED if severity is None else Outcome.FAILED)
    assert verdict.severity is (severity or Severity.INFO)


def test_an_exposure_that_few_nonmembers_allow_by_chance_does_not_count():
    # 1 of 100 accused: the false-positive rate may be 5.4%
    assert judge(figures(exposure=(0.05, 0.2)), 100, unfinished=False).outcome is Outcome.PASSED
    assert judge(figures(exposure=(0.06, 0.2)), 100, unfinished=False).outcome is Outcome.FAILED
    assert judge(figures(exposure=(0.05, 0.2)), 10_000, unfinished=False).outcome is Outcome.FAILED


def test_a_wide_interval_is_no_pass():
    verdict = judge(figures(area=(0.4, 0.76)), 30, unfinished=False)
    assert (verdict.outcome, verdict.severity) == (Outcome.NOT_ASSESSED, Severity.INFO)
    assert "0.76" in verdict.reason


def test_an_unfinished_audit_can_fail_but_not_pass():
    assert judge(figures(), 1_000, unfinished=True).outcome is Outcome.NOT_ASSESSED
    assert judge(figures(area=(0.8, 0.9)), 1_000, unfinished=True).outcome is Outcome.FAILED
