"""Tests of the JUnit rendering: valid for Jenkins, and no outcome lost."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
import xmlschema
from hypothesis import given
from hypothesis import strategies as st

from gambeson.audit.report.junit import to_junit
from gambeson.audit.result import AuditReport, Gate, GateOutcome, Subject, Times
from gambeson.core.finding import Evidence, Family, Finding, Outcome, Severity
from gambeson.core.measurement import Interval, Measurement
from gambeson.core.threat import Access

_XSD = Path(__file__).parents[3] / "data" / "junit-10.xsd"
_FAILED = Finding(
    check="evasion.gradient",
    title="Falls to gradient attacks",
    family=Family.EVASION,
    access=Access.GRADIENT,
    outcome=Outcome.FAILED,
    severity=Severity.HIGH,
    summary="Nearly all inputs can be changed.",
    remedy="Train on adversarial examples.",
    target="linf eps=0.03",
    measurements=(Measurement("robust_accuracy", 0.25, "fraction", 200, Interval(0.195, 0.314, "wilson")),),
    evidence=Evidence(command="gambeson audit m.onnx --seed 7"),
    cut=("steps 20 of 50",),
)


@pytest.fixture(scope="module")
def schema():
    return xmlschema.XMLSchema(_XSD)


def report_of(*findings, name="m.onnx", checks=()):
    return AuditReport(
        tool="0.1.0",
        model=Subject(name, "sha256:aa"),
        data=Subject("d.npz", "sha256:bb"),
        command="gambeson audit m.onnx",
        seed=7,
        profile="quick",
        threats=(),
        environment=(),
        findings=findings,
        coverage=(),
        gate=Gate(Severity.HIGH, (), GateOutcome.CLOSED),
        times=Times("2026-01-02T03:04:05+00:00", 12.5, checks),
    )


def one_case(finding):
    return ET.fromstring(to_junit(report_of(finding))).find("testsuite/testcase")


def every_outcome():
    return (
        _FAILED,
        replace(_FAILED, target="l2 eps=1", suppressed="accepted until the next release"),
        replace(_FAILED, check="a", outcome=Outcome.PASSED),
        replace(_FAILED, check="b", outcome=Outcome.NOT_ASSESSED, reason="no gradients"),
        replace(_FAILED, check="c", outcome=Outcome.ERRORED, reason="the model answered NaN"),
    )


def test_every_outcome_is_valid_for_jenkins_and_counted(schema):
    text = to_junit(report_of(*every_outcome()))
    schema.validate(text)
    suite = ET.fromstring(text).find("testsuite")
    assert [suite.get(key) for key in ("tests", "failures", "errors", "skipped")] == ["5", "1", "1", "2"]
    assert len(suite.findall("testcase")) == 5


def test_an_empty_report_is_valid(schema):
    schema.validate(to_junit(report_of()))


def test_a_failed_finding_fails_with_claim_remedy_and_figures():
    case = one_case(_FAILED)
    assert (case.get("classname"), case.get("name")) == ("evasion", "evasion.gradient@linf eps=0.03")
    assert case.find("failure").get("message") == "Falls to gradient attacks"
    assert "Train on adversarial examples." in case.find("failure").text
    output = case.find("system-out").text
    assert "robust accuracy 0.250 [0.195, 0.314] (n=200), 95% wilson" in output
    assert "left out: steps 20 of 50" in output
    assert "repeat with: gambeson audit m.onnx --seed 7" in output


def test_what_was_not_assessed_is_skipped_with_its_reason():
    case = one_case(replace(_FAILED, outcome=Outcome.NOT_ASSESSED, reason="no gradients"))
    assert case.find("skipped").get("message") == "not assessed: no gradients"
    assert case.find("failure") is None


def test_a_suppressed_failure_is_skipped_with_its_reason():
    case = one_case(replace(_FAILED, suppressed="known"))
    assert case.find("skipped").get("message") == "accepted: known"
    assert case.find("failure") is None


def test_a_suppression_does_not_hide_an_error():
    case = one_case(replace(_FAILED, outcome=Outcome.ERRORED, reason="boom", suppressed="known"))
    assert case.find("error").get("message") == "boom"


def test_the_time_of_a_check_is_shared_among_its_findings():
    findings = (_FAILED, replace(_FAILED, target="other"))
    text = to_junit(report_of(*findings, checks=(("evasion.gradient", 3.0), ("gone", 1.0))))
    root = ET.fromstring(text)
    assert [case.get("time") for case in root.iter("testcase")] == ["1.500", "1.500"]
    assert root.find("testsuite").get("time") == "12.500"


@given(st.text(st.characters(categories=["Cc", "Cs", "Cn", "Lu", "Po", "Sm"]), max_size=30))
def test_hostile_text_stays_well_formed(text):
    finding = replace(_FAILED, title=text, target=text, summary=text, suppressed="")
    root = ET.fromstring(to_junit(report_of(finding, name=text)).encode())
    assert len(root.findall("testsuite/testcase")) == 1


def test_same_report_same_bytes():
    assert to_junit(report_of(*every_outcome())) == to_junit(report_of(*every_outcome()))
