"""The rule that fails attribute inference."""

from __future__ import annotations

from dataclasses import replace

import pytest

from gambeson.audit.checks.attributes_evidence import Leak
from gambeson.audit.checks.attributes_verdict import judge
from gambeson.core.finding import Outcome, Severity
from gambeson.core.measurement import Interval, Measurement


def figure(low: float, high: float) -> Measurement:
    return Measurement("x", (low + high) / 2, "fraction", 100, Interval(low, high, "test"))


NONE = Leak("sex", True, *(figure(0.4, 0.6),) * 3, figure(-0.01, 0.01), figure(-0.01, 0.01), "map", ("map",))


@pytest.mark.parametrize(
    ("advantage", "memorised", "outcome", "severity"),
    [
        ((-0.01, 0.02), (-0.02, 0.02), Outcome.PASSED, Severity.INFO),
        ((0.02, 0.04), (-0.02, 0.02), Outcome.FAILED, Severity.LOW),
        ((0.06, 0.1), (-0.02, 0.02), Outcome.FAILED, Severity.MEDIUM),
        ((0.16, 0.2), (-0.02, 0.02), Outcome.FAILED, Severity.HIGH),
        ((-0.01, 0.02), (0.03, 0.1), Outcome.FAILED, Severity.MEDIUM),
        ((-0.01, 0.02), (0.06, 0.1), Outcome.FAILED, Severity.HIGH),
        ((-0.05, 0.2), (-0.02, 0.02), Outcome.NOT_ASSESSED, Severity.INFO),
    ],
)
def test_the_lower_ends_decide(advantage, memorised, outcome, severity):
    found = judge(
        [NONE, replace(NONE, advantage=figure(*advantage), memorised=figure(*memorised))], complete=True
    )
    assert (found.outcome, found.severity) == (outcome, severity)


def test_a_feature_that_was_not_looked_at_is_no_pass_but_a_failure_stands():
    assert judge([NONE], complete=False).outcome is Outcome.NOT_ASSESSED
    assert judge([replace(NONE, advantage=figure(0.2, 0.3))], complete=False).outcome is Outcome.FAILED


def test_what_is_not_known_to_be_memorised_fails_nothing():
    assert judge([replace(NONE, memorised=None)], complete=True).outcome is Outcome.PASSED
