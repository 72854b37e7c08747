from __future__ import annotations

from dataclasses import replace

import pytest

from gambeson.audit.gate import decide_gate, parse_rule
from gambeson.audit.result import GateOutcome
from gambeson.core.errors import UsageError
from gambeson.core.finding import Severity
from tests.unit.audit.report.samples import ACCEPTED, ERRORED, EVASION, MEMBERSHIP


@pytest.mark.parametrize(
    ("findings", "fail_on", "outcome"),
    [
        ((EVASION,), Severity.HIGH, GateOutcome.CLOSED),
        ((EVASION,), Severity.CRITICAL, GateOutcome.OPEN),
        ((EVASION,), None, GateOutcome.OPEN),
        ((ACCEPTED,), Severity.LOW, GateOutcome.OPEN),
        ((ERRORED, MEMBERSHIP), Severity.HIGH, GateOutcome.INCOMPLETE),
        ((ERRORED, EVASION), Severity.HIGH, GateOutcome.CLOSED),
    ],
)
def test_what_closes_the_gate(findings, fail_on, outcome):
    assert decide_gate(findings, fail_on, ()).outcome is outcome


def test_an_interrupted_audit_is_incomplete_and_says_how_to_go_on():
    gate = decide_gate((MEMBERSHIP,), None, (), interrupted=True)
    assert gate.outcome is GateOutcome.INCOMPLETE
    assert "--resume" in gate.reasons[0]


def test_a_gate_that_is_closed_anyway_also_says_that_the_audit_was_interrupted():
    gate = decide_gate((EVASION,), Severity.HIGH, (), interrupted=True)
    assert gate.outcome is GateOutcome.CLOSED
    assert "--resume" in gate.reasons[-1]


@pytest.mark.parametrize(
    ("rule", "closed"), [(">= 0.4", False), ("> 0.4", True), ("<= 0.4", False), ("< 0.4", True)]
)
def test_thresholds_compare_as_written(rule, closed):
    gate = decide_gate((EVASION,), None, (("evasion.gradient.robust_accuracy", rule),))
    assert (gate.outcome is GateOutcome.CLOSED) == closed


def test_a_threshold_without_its_figure_closes_the_gate():
    gate = decide_gate((MEMBERSHIP,), None, (("evasion.gradient.robust_accuracy", ">= 0.4"),))
    assert gate.outcome is GateOutcome.CLOSED
    assert "was not measured" in gate.reasons[0]


def test_a_threshold_holds_for_every_finding_of_the_check():
    worse = replace(
        EVASION, target="linf eps=0.2", measurements=(replace(EVASION.measurements[0], value=0.1),)
    )
    gate = decide_gate((EVASION, worse), None, (("evasion.gradient.robust_accuracy", ">= 0.3"),))
    assert gate.reasons == ("evasion.gradient.robust_accuracy is 0.1, not >= 0.3",)


@pytest.mark.parametrize("rule", ["0.4", "= 0.4", ">= much", ">=", "", ">= 1e"])
def test_a_malformed_rule_is_named(rule):
    with pytest.raises(UsageError, match="has the rule"):
        parse_rule("evasion.gradient.robust_accuracy", rule)


def test_a_threshold_on_an_unknown_check_names_the_nearest_one():
    with pytest.raises(UsageError, match=r"did you mean 'evasion\.gradient'"):
        parse_rule("evasion.gradiant.robust_accuracy", ">= 0.4")
