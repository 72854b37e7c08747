"""When a model counts as more robust."""

from __future__ import annotations

from dataclasses import replace

import pytest

from gambeson.core.finding import Outcome
from gambeson.core.stats import proportion
from gambeson.service.hardening_verdict import figures, judge
from tests.unit.audit.report.samples import EVASION, report_of


def report(robust: int, *, masked: bool = False):
    measured = tuple(
        proportion(name, count, 200, better="higher")
        for name, count in (("clean_accuracy", 190), ("robust_accuracy", robust))
    )
    finding = replace(EVASION, check="evasion.gradient", target="", measurements=measured)
    sanity = replace(finding, check="evasion.sanity", measurements=(), title="Gradients vanish")
    sanity = replace(sanity, outcome=Outcome.FAILED if masked else Outcome.PASSED)
    return report_of(finding, sanity)


@pytest.mark.parametrize(
    ("before", "after", "improved", "words"),
    [
        (20, 120, True, "rose from 10.0% to 60.0%"),
        (120, 20, False, "fell from 60.0% to 10.0%"),
        (100, 104, False, "no more than chance"),
    ],
)
def test_only_a_rise_beyond_chance_counts(before, after, improved, words):
    verdict = judge(report(before), report(after))
    assert verdict.improved is improved
    assert words in verdict.words


def test_masked_gradients_are_never_called_robust():
    verdict = judge(report(20), report(180, masked=True))
    assert not verdict.improved
    assert "Gradients vanish" in verdict.words


def test_without_the_figure_nothing_is_claimed_and_the_reason_is_given():
    errored = replace(EVASION, check="evasion.gradient", measurements=(), reason="The model broke.")
    verdict = judge(report(20), report_of(errored))
    assert not verdict.improved
    assert "The model broke." in verdict.words


def test_the_figures_are_those_of_the_attack_not_of_its_diagnostics():
    assert [m.name for m in figures(report(20))] == ["clean_accuracy", "robust_accuracy"]


def test_of_copies_the_one_on_the_most_answers_is_named_by_what_it_was_trained_on():
    fidelities = tuple(proportion(f"fidelity_at_{n}_queries", 90, 100, better="lower") for n in (2_000, 500))
    found = [
        replace(EVASION, check=check, target="", measurements=fidelities)
        for check in ("extraction.labels", "extraction.scores")
    ]
    assert [m.name for m in figures(report_of(*found))] == [
        "labels_fidelity_at_2000_queries",
        "scores_fidelity_at_2000_queries",
    ]
