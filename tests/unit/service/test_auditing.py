from __future__ import annotations

from dataclasses import replace

import pytest

from gambeson.audit.base import checks
from gambeson.audit.report.json_report import to_json, without_times
from gambeson.audit.result import GateOutcome
from gambeson.core.errors import GambesonError, ModelError, UsageError
from gambeson.core.finding import Family, Outcome
from gambeson.core.ports import NoProgress
from gambeson.core.threat import Access, ThreatModel
from gambeson.service.auditing import run_audit
from gambeson.service.commands import AuditCommand, Suppression


@pytest.fixture
def command(digits_net, tmp_path):
    return AuditCommand(
        model=str(digits_net / "net.safetensors"),
        factory=f"{digits_net / 'net.py'}:build",
        data="builtin:digits",
        threats=(ThreatModel(eps=0.1),),
        profile="quick",
        samples=24,
        only=("evasion",),
        skip=("evasion.transfer",),  # it trains a network; tests of their own ask for it
        out=tmp_path / "out",
    )


def run(command):
    return run_audit(command, NoProgress())


def test_an_audit_ends_with_findings_twelve_cells_and_four_reports(command):
    report = run(replace(command, skip=()))
    assert {f.check for f in report.findings} == {c.name for c in checks if c.facts.family is Family.EVASION}
    assert len(report.coverage) == 12
    names = {p.name for p in command.out.iterdir() if p.is_file()}
    assert names == {"report.json", "report.html", "report.sarif", "report.junit.xml"}


def test_seed_decides_and_batch_size_does_not(command):
    command = replace(command, skip=())
    first = to_json(without_times(run(command)))
    other = to_json(without_times(run(replace(command, batch_size=8, out=command.out / "b"))))
    assert first == other
    assert first != to_json(without_times(run(replace(command, seed=1))))


def test_jobs_do_not_decide(command):
    first = to_json(without_times(run(command)))
    assert first == to_json(without_times(run(replace(command, jobs=2, out=command.out / "b"))))


def test_a_model_that_answers_nan_is_one_error_and_leaves_no_report(command):
    sick = replace(command, factory=command.factory.replace(":build", ":build_sick"), model=command.model)
    with pytest.raises(GambesonError):
        run(sick)
    assert not (command.out / "report.json").exists()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"profile": "fast"}, "'fast'"),
        ({"only": ("evasoin",)}, "'evasoin'"),
        ({"formats": ("pdf",)}, "'pdf'"),
        ({"only": ("evasion",), "skip": ("evasion",)}, "No check is left"),
        ({"samples": 0}, "0 samples"),
        ({"batch_size": 0}, "batch size"),
        ({"jobs": 0}, "0 jobs"),
        ({"split": "validation"}, "validation"),
        ({"threats": (ThreatModel(eps=3.0),)}, "8/255"),
        ({"thresholds": (("evasion.gradient.robust_accuracy", "much"),)}, "'much'"),
    ],
)
def test_what_is_wrong_is_said_before_any_work(command, change, words):
    with pytest.raises((UsageError, ModelError), match=words):
        run(replace(command, **change))
    assert not command.out.exists()


def test_a_suppression_in_force_opens_the_gate_and_an_expired_one_does_not(command):
    command = replace(command, only=("evasion.gradient",), threats=(ThreatModel(eps=0.5),))
    assert run(command).gate.outcome is GateOutcome.CLOSED
    for expires, outcome in (("2999-01-01", GateOutcome.OPEN), ("2001-01-01", GateOutcome.CLOSED)):
        accepted = (Suppression("evasion.gradient", "planned", expires),)
        assert run(replace(command, suppressions=accepted)).gate.outcome is outcome


def test_access_that_is_not_granted_is_a_reason_in_the_matrix(command):
    report = run(replace(command, threats=(ThreatModel(eps=0.1, access=Access.SCORES),)))
    cell = next(c for c in report.coverage if (c.family, c.access) == ("evasion", Access.GRADIENT))
    assert cell.outcome is Outcome.NOT_ASSESSED
    assert "grants scores" in cell.reason


def test_several_attackers_give_a_finding_each(command):
    two = (ThreatModel(eps=0.05), ThreatModel(eps=0.1))
    report = run(replace(command, only=("evasion.gradient",), threats=two))
    assert {f.target for f in report.findings} == {"linf eps=0.05", "linf eps=0.1"}


def test_a_surrogate_is_opened_and_named(command, digits_net):
    own = {"surrogate": command.model, "surrogate_factory": command.factory}
    other = replace(command, only=("evasion.transfer",), model="python:tests.tiny_models:answer_one_class")
    report = run(replace(other, factory=None, scores="logits", samples=200, skip=(), **own))
    (finding,) = report.findings
    assert f"on the surrogate {command.model}" in finding.evidence.method
    assert "--surrogate-factory" in report.command


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"surrogate": "nowhere.pt"}, "nowhere.pt"),
        ({"surrogate_factory": "net.py:build"}, "no surrogate"),
        ({"surrogate": "python:tests.tiny_models:answer_one_class"}, "gives no gradients"),
    ],
)
def test_what_is_wrong_with_a_surrogate_is_said_before_any_work(command, change, words):
    with pytest.raises(UsageError, match=words):
        run(replace(command, **change))
    assert not command.out.exists()
