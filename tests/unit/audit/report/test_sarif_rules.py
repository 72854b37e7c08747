"""Tests of what a SARIF rule says about a check, in cases that whole reports seldom show."""

from __future__ import annotations

import pytest

from gambeson.audit.base import checks
from gambeson.audit.report.sarif_rules import shorten, to_rule
from gambeson.core.finding import Family, Finding, Outcome, Severity


def finding_of(check="own.check", outcome=Outcome.FAILED, **options):
    return Finding(check, "Claim", Family.PRIVACY, None, outcome, **options)


def test_a_registered_check_is_described_by_its_question():
    for entry in checks:
        rule = to_rule(entry.name, [finding_of(entry.name)])
        assert rule["shortDescription"]["text"] == entry.facts.question


def test_a_check_from_elsewhere_is_described_by_its_claim():
    rule = to_rule("own.check", [finding_of(taxonomy=("own:X1",))])
    assert rule["shortDescription"]["text"] == "Claim"
    assert "own:X1" in rule["help"]["text"]
    assert rule["helpUri"].startswith("https://")


def test_severity_is_the_worst_that_failed_and_not_of_what_passed():
    found = [
        finding_of(severity=Severity.LOW),
        finding_of(severity=Severity.MEDIUM),
        finding_of(outcome=Outcome.PASSED, severity=Severity.CRITICAL),
    ]
    assert to_rule("own.check", found)["defaultConfiguration"]["level"] == "warning"


def test_remedies_of_all_findings_are_told_once():
    found = [finding_of(remedy="One."), finding_of(remedy="Two."), finding_of(remedy="One.")]
    text = to_rule("own.check", found)["help"]["text"]
    assert (text.count("One."), text.count("Two.")) == (1, 1)


@pytest.mark.parametrize(
    ("text", "short"), [("abcd", "abcd"), ("abcde", "abc…"), ("", ""), ("a\ud800", "a?")]
)
def test_a_long_text_is_cut_and_stays_valid_unicode(text, short):
    assert shorten(text, 4) == short
