"""Findings: severities are ordered, figures are found by name, values are frozen."""

from __future__ import annotations

import dataclasses

import pytest

from gambeson.core.finding import Family, Finding, Outcome, Severity
from gambeson.core.measurement import Measurement


def finding(*figures: Measurement) -> Finding:
    return Finding("a.check", "A claim", Family.PRIVACY, None, Outcome.PASSED, measurements=figures)


def test_severities_rank_from_info_to_critical():
    assert sorted(Severity, key=lambda s: s.rank) == [
        Severity.INFO, Severity.LOW, Severity.MEDIUM, Severity.HIGH, Severity.CRITICAL,
    ]  # fmt: skip
    assert (Severity.INFO.rank, Severity.CRITICAL.rank) == (0, 4)


def test_a_figure_is_found_by_its_name():
    auc, gap = Measurement("auc", 0.5, "fraction", 10), Measurement("gap", 0.1, "fraction", 10)
    assert finding(auc, gap).measurement("gap") is gap


def test_a_figure_that_was_not_measured_is_a_key_error():
    with pytest.raises(KeyError, match="auc"):
        finding().measurement("auc")


def test_a_finding_cannot_be_changed():
    with pytest.raises(dataclasses.FrozenInstanceError):
        finding().outcome = Outcome.FAILED


def test_families_and_outcomes_are_the_words_of_the_reports():
    assert [str(family) for family in Family] == ["evasion", "privacy", "extraction", "poisoning"]
    assert {str(outcome) for outcome in Outcome} == {"PASSED", "FAILED", "NOT_ASSESSED", "ERRORED"}
