"""Tests of the SARIF rendering: valid, stable, within the limits of code scanning, no outcome lost."""

from __future__ import annotations

import gzip
import json
import random
from dataclasses import replace
from pathlib import Path

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gambeson.audit.report import sarif
from gambeson.audit.report.sarif import model_uri, to_sarif
from gambeson.audit.result import AuditReport, Cell, Gate, GateOutcome, Subject, Times
from gambeson.core.finding import Evidence, Family, Finding, Outcome, Severity
from gambeson.core.measurement import Interval, Measurement
from gambeson.core.threat import Access

_SCHEMA = Path(__file__).parents[3] / "data" / "sarif-2.1.0.json"
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
    taxonomy=("atlas:AML.T0043.000", "nist:NISTAML.022", "owasp-ml:ML01:2023"),
)


@pytest.fixture(scope="module")
def validator():
    schema = json.loads(_SCHEMA.read_text(encoding="utf-8"))
    return jsonschema.Draft4Validator(schema, format_checker=jsonschema.FormatChecker())


def report_of(*findings, name="models/m.onnx", gate=GateOutcome.CLOSED):
    return AuditReport(
        tool="0.1.0",
        model=Subject(name, "sha256:aa"),
        data=Subject("d.npz", "sha256:bb"),
        command="gambeson audit models/m.onnx",
        seed=7,
        profile="quick",
        threats=(),
        environment=(),
        findings=findings,
        coverage=(Cell(Family.EVASION, Access.GRADIENT, Outcome.FAILED),),
        gate=Gate(Severity.HIGH, (), gate),
        times=Times("2026-01-02T03:04:05+00:00", 12.5),
    )


def run_of(*findings, **options):
    return json.loads(to_sarif(report_of(*findings, **options)))["runs"][0]


def result_of(finding, **options):
    (result,) = run_of(finding, **options)["results"]
    return result


def every_outcome():
    return (
        _FAILED,
        replace(_FAILED, target="l2 eps=1", suppressed="accepted until the next release"),
        replace(_FAILED, check="a.passed", outcome=Outcome.PASSED, severity=Severity.INFO),
        replace(_FAILED, check="b.open", outcome=Outcome.NOT_ASSESSED, reason="no gradients"),
        replace(_FAILED, check="c.broken", outcome=Outcome.ERRORED, reason="the model answered NaN"),
    )


@pytest.mark.parametrize(
    "findings", [(), (_FAILED,), every_outcome(), (replace(_FAILED, taxonomy=("own:X1",), access=None),)]
)
def test_every_outcome_is_valid_sarif(validator, findings):
    for name in ("models/m.onnx", "python:shop.models:load", "ä b/#1?.onnx", "/"):
        validator.validate(json.loads(to_sarif(report_of(*findings, name=name))))


def test_only_failures_are_results_and_the_rest_is_notified():
    run = run_of(*every_outcome())
    assert [result["ruleId"] for result in run["results"]] == ["evasion.gradient"] * 2
    notes = run["invocations"][0]["toolExecutionNotifications"]
    assert [(note["level"], note["associatedRule"]["id"]) for note in notes] == [
        ("note", "b.open"),
        ("error", "c.broken"),
    ]
    assert notes[0]["message"]["text"] == "b.open (linf eps=0.03) was not assessed: no gradients"


@pytest.mark.parametrize(
    ("finding", "gate", "successful"),
    [
        (_FAILED, GateOutcome.CLOSED, True),
        (_FAILED, GateOutcome.INCOMPLETE, False),
        (replace(_FAILED, outcome=Outcome.ERRORED, reason=""), GateOutcome.CLOSED, False),
    ],
)
def test_an_audit_that_could_not_finish_is_no_successful_execution(finding, gate, successful):
    assert run_of(finding, gate=gate)["invocations"][0]["executionSuccessful"] is successful


def test_rule_indices_point_at_their_rules():
    run = run_of(*every_outcome())
    rules = run["tool"]["driver"]["rules"]
    notes = run["invocations"][0]["toolExecutionNotifications"]
    assert [rule["id"] for rule in rules] == ["a.passed", "b.open", "c.broken", "evasion.gradient"]
    assert all(rules[result["ruleIndex"]]["id"] == result["ruleId"] for result in run["results"])
    assert all(rules[n["associatedRule"]["index"]]["id"] == n["associatedRule"]["id"] for n in notes)


@pytest.mark.parametrize(
    ("severity", "level", "low", "high"),
    [
        (Severity.CRITICAL, "error", 9.0, 10.0),
        (Severity.HIGH, "error", 7.0, 8.9),
        (Severity.MEDIUM, "warning", 4.0, 6.9),
        (Severity.LOW, "note", 0.1, 3.9),
        (Severity.INFO, "note", 0.0, 0.0),
    ],
)
def test_severity_lands_in_the_band_that_code_scanning_gives_it(severity, level, low, high):
    run = run_of(replace(_FAILED, severity=severity))
    rule = run["tool"]["driver"]["rules"][0]
    assert run["results"][0]["level"] == rule["defaultConfiguration"]["level"] == level
    assert low <= float(rule["properties"]["security-severity"]) <= high


def test_a_rule_explains_itself():
    (rule,) = run_of(_FAILED)["tool"]["driver"]["rules"]
    assert "Train on adversarial examples." in rule["help"]["text"]
    assert (
        "[atlas:AML.T0043.000 Craft Adversarial Data: White-Box Optimization (MITRE ATLAS 5.6.0)](https://"
        in (rule["help"]["markdown"])
    )
    assert rule["helpUri"] == "https://atlas.mitre.org/techniques/AML.T0043.000"
    assert rule["properties"]["tags"][:3] == ["security", "machine-learning", "evasion"]


def test_the_message_quotes_figures_with_their_intervals():
    text = result_of(_FAILED)["message"]["text"]
    assert text.startswith(
        "Falls to gradient attacks.\nrobust accuracy 0.250 [0.195, 0.314] (n=200), 95% wilson"
    )


def test_a_suppressed_finding_carries_its_justification():
    assert result_of(replace(_FAILED, suppressed="known"))["suppressions"] == [
        {"kind": "external", "justification": "known"}
    ]
    assert "suppressions" not in result_of(_FAILED)


def test_the_fingerprint_follows_the_question_and_not_the_figures():
    def fingerprint(finding, **options):
        return result_of(finding, **options)["partialFingerprints"]["gambeson/v1"]

    same = replace(_FAILED, title="Other", measurements=(), severity=Severity.LOW, suppressed="known")
    assert fingerprint(same) == fingerprint(_FAILED)
    others = [replace(_FAILED, target="l2"), replace(_FAILED, check="evasion.query")]
    prints = {fingerprint(_FAILED), fingerprint(_FAILED, name="n.onnx"), *map(fingerprint, others)}
    assert len(prints) == 4


@pytest.mark.parametrize(
    ("name", "uri"),
    [
        ("./models/m.onnx", "models/m.onnx"),
        ("my models/m#1.onnx", "my%20models/m%231.onnx"),
        ("a:b.onnx", "a%3Ab.onnx"),
        ("/srv/m.onnx", "srv/m.onnx"),
        ("../../m.onnx", "m.onnx"),
        ("ü.onnx", "%C3%BC.onnx"),
        ("python:shop.models:load", "shop/models.py"),
        ("", "model"),
    ],
)
def test_a_location_is_a_relative_uri(name, uri):
    assert model_uri(name) == uri


def test_a_model_made_by_a_function_names_the_function():
    (location,) = result_of(_FAILED, name="python:shop.models:load")["locations"]
    assert location["logicalLocations"] == [{"fullyQualifiedName": "shop.models.load", "kind": "function"}]


def test_long_texts_are_cut_and_the_figures_survive(validator):
    long = replace(_FAILED, summary="s" * 9_000, suppressed="j" * 9_000, title="t" * 2_000)
    run = run_of(replace(long, check="own.check", taxonomy=tuple(f"own:{n}" for n in range(40))))
    rule, result = run["tool"]["driver"]["rules"][0], run["results"][0]
    assert len(rule["shortDescription"]["text"]) <= 1_024
    assert len(rule["fullDescription"]["text"]) <= 1_024
    assert len(rule["properties"]["tags"]) == 10
    assert len(result["message"]["text"]) == 4_000
    assert result["message"]["text"].endswith("…")
    assert "0.250 [0.195, 0.314]" in result["message"]["text"]


def test_too_many_results_leave_the_least_severe_out_and_say_so():
    mild = [replace(_FAILED, target=str(n), severity=Severity.LOW) for n in range(5_000)]
    run = run_of(*mild, replace(_FAILED, severity=Severity.CRITICAL))
    assert len(run["results"]) == 5_000
    assert run["results"][0]["level"] == "error"
    (note,) = run["invocations"][0]["toolExecutionNotifications"]
    assert note["message"]["text"].startswith("1 failed findings are left out")


def test_a_file_that_is_too_large_after_gzip_drops_results_until_it_fits(monkeypatch):
    monkeypatch.setattr(sarif, "_MOST_BYTES", 30_000)
    noise = random.Random(1)
    texts = ["".join(chr(noise.randrange(0x4E00, 0x9000)) for _ in range(3_800)) for _ in range(8)]
    text = to_sarif(report_of(*(replace(_FAILED, target=words[:9], summary=words) for words in texts)))
    assert len(gzip.compress(text.encode())) <= 30_000
    run = json.loads(text)["runs"][0]
    assert 0 < len(run["results"]) < 8
    (note,) = run["invocations"][0]["toolExecutionNotifications"]
    assert note["message"]["text"].startswith(f"{8 - len(run['results'])} failed findings are left out")


@given(st.text(st.characters(categories=["L", "P", "C"]), max_size=30))
def test_any_text_becomes_json(text):
    result = result_of(replace(_FAILED, title=text, summary=text, target=text), name=text)
    assert result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"].isascii()
    assert json.dumps(result, ensure_ascii=False).encode("utf-8")


def test_same_report_same_bytes():
    assert to_sarif(report_of(*every_outcome())) == to_sarif(report_of(*every_outcome()))
