from __future__ import annotations

import io
from dataclasses import replace

import pytest
from rich.console import Console

from gambeson.audit.report import terminal
from gambeson.audit.report.terminal import summary
from gambeson.core.finding import Outcome
from tests.unit.audit.report.samples import EVASION, hostile_report, report_of, sample_report


def text(report, width=100):
    stream = io.StringIO()
    Console(file=stream, width=width, no_color=True).print(summary(report))
    return stream.getvalue()


def test_it_names_findings_figures_cuts_and_the_gate():
    shown = text(sample_report())
    for words in (
        "evasion.gradient",
        "robust accuracy 40.0% [30.9%, 49.8%] n=100",
        "left out: square",
        "gate closed",
        "exit code 1",
    ):
        assert words in shown
    assert "accepted: hardening is planned" in shown
    assert "RuntimeError: boom" in shown


@pytest.mark.parametrize("outcome", Outcome)
def test_outcome_severity_and_acceptance_are_words_not_colours(outcome):
    words = {"PASSED": "pass", "FAILED": "FAIL", "NOT_ASSESSED": "not assessed", "ERRORED": "ERROR"}
    finding = replace(EVASION, outcome=outcome)
    plain = " ".join(terminal._result(finding).plain.split())
    assert plain == words[outcome] + (" high" if outcome is Outcome.FAILED else "")
    assert terminal._result(replace(finding, suppressed="x")).plain.endswith("accepted")


def test_every_attacker_and_what_was_audited_stand_on_top():
    shown = text(report_of(EVASION, threats=("linf eps=0.1", "l2 eps=1")))
    head = shown[: shown.index("Result")]
    for words in ("models/m.onnx", "my data.npz", "linf eps=0.1", "l2 eps=1", "profile quick, seed 0"):
        assert words in head


def test_an_audit_without_findings_says_so():
    assert "Nothing was looked at." in text(report_of())


def test_markup_and_control_characters_of_a_foreign_check_stay_text():
    shown = text(report_of(replace(EVASION, check="own.[bold]x\x1b[2J")))
    assert "own.[bold]x [2J" in shown
    assert "\x1b" not in shown


@pytest.mark.parametrize("width", [60, 80, 120])
def test_no_line_is_wider_than_the_terminal(width):
    for report in (sample_report(), hostile_report()):
        assert max(len(line) for line in text(report, width).splitlines()) <= width


def test_every_family_has_its_row():
    assert all(
        family in text(sample_report()) for family in ("evasion", "privacy", "extraction", "poisoning")
    )
