from __future__ import annotations

import io
import json
from dataclasses import replace

from rich.console import Console

from gambeson.audit.report.diff import compare_reports, diff_summary
from gambeson.core.finding import Outcome
from gambeson.core.stats import proportion
from tests.unit.audit.report.samples import ERRORED, EVASION, MEMBERSHIP, report_of, sample_report


def better(successes):
    return replace(
        EVASION,
        outcome=Outcome.PASSED,
        measurements=(proportion("robust_accuracy", successes, 100, better="higher"),),
    )


def test_a_report_does_not_differ_from_itself():
    diff = compare_reports(sample_report(), sample_report())
    assert (diff.appeared, diff.gone, diff.outcomes, diff.coverage, diff.comparable) == ((),) * 5
    assert {f.verdict for f in diff.figures} == {"no significant change"}


def test_a_large_change_is_better_and_a_small_one_is_chance():
    large = compare_reports(report_of(EVASION), report_of(better(80)))
    assert [f.verdict for f in large.figures] == ["better"]
    assert large.figures[0].p_value < 1e-6
    small = compare_reports(report_of(EVASION), report_of(better(43)))
    assert [f.verdict for f in small.figures] == ["no significant change"]


def test_outcomes_coverage_and_findings_that_come_and_go_are_listed():
    diff = compare_reports(report_of(EVASION, MEMBERSHIP), report_of(better(80), ERRORED))
    assert diff.outcomes == (("evasion.gradient@linf eps=0.1", Outcome.FAILED, Outcome.PASSED),)
    assert diff.gone == ("privacy.membership",)
    assert diff.appeared == ("evasion.scores",)
    assert ("evasion/gradient", Outcome.FAILED, Outcome.PASSED) in diff.coverage


def test_other_data_or_seed_is_said():
    other = replace(sample_report(), seed=7, profile="thorough")
    assert len(compare_reports(sample_report(), other).comparable) == 2


def test_it_prints_and_is_json():
    diff = compare_reports(report_of(EVASION), report_of(better(80)))
    stream = io.StringIO()
    Console(file=stream, width=100).print(diff_summary(diff))
    assert "better" in stream.getvalue()
    assert json.loads(diff.to_json())["figures"][0]["verdict"] == "better"
