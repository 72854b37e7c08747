from __future__ import annotations

import io
import json
from dataclasses import replace

import pytest
from rich.console import Console
from statsmodels.stats.proportion import proportions_ztest

from gambeson.audit.report.diff import compare_reports, diff_summary
from gambeson.core.finding import Outcome
from gambeson.core.measurement import Interval, Measurement
from gambeson.core.stats import difference, proportion
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


def with_figure(figure):
    return report_of(replace(EVASION, measurements=(figure,)))


def one_change(before, after):
    (change,) = compare_reports(with_figure(before), with_figure(after)).figures
    return change


def test_the_test_of_two_proportions_is_the_published_one():
    change = one_change(proportion("rate", 45, 100), proportion("rate", 60, 100))
    _, p = proportions_ztest([45, 60], [100, 100])
    assert change.p_value == pytest.approx(p)
    assert change.intervals_overlap


def test_figures_that_count_no_successes_are_judged_by_their_intervals():
    def area(low, high):
        return Measurement("auc", (low + high) / 2, "fraction", 90, Interval(low, high, "delong"), "lower")

    apart, near = one_change(area(0.5, 0.6), area(0.7, 0.8)), one_change(area(0.5, 0.6), area(0.55, 0.7))
    assert (apart.p_value, apart.intervals_overlap, apart.verdict) == (None, False, "worse")
    assert (near.p_value, near.intervals_overlap, near.verdict) == (None, True, "no significant change")


def test_a_negative_difference_is_no_rate_and_breaks_nothing():
    gap = one_change(*(difference("gap", (a, 100), (60, 100), better="lower") for a in (50, 58)))
    assert (gap.p_value, gap.verdict) == (None, "no significant change")


def test_a_rate_with_a_rescaled_interval_of_shares_is_judged_by_its_interval():
    rate = Measurement("still_falling", 543.5, "points per 100 passes", 8, Interval(97.0, 2047.0, "wilson"))
    change = one_change(rate, replace(rate, value=400.0))
    assert (change.p_value, change.verdict) == (None, "no significant change")


def test_an_exact_figure_changes_without_an_interval():
    change = one_change(Measurement("queries", 10, "queries", 5), Measurement("queries", 12, "queries", 5))
    assert (change.intervals_overlap, change.verdict) == (None, "changed")


def printed(diff, width=100):
    stream = io.StringIO()
    Console(file=stream, width=width).print(diff_summary(diff))
    return stream.getvalue()


def test_it_prints_and_is_json():
    diff = compare_reports(report_of(EVASION), report_of(better(80)))
    assert "better" in printed(diff)
    assert "80.0% [71.1%, 86.7%]" in printed(diff, 140)
    tree = json.loads(diff.to_json())["figures"][0]
    assert (tree["verdict"], tree["after"]["value"]) == ("better", 0.8)


def test_hostile_text_prints_as_text():
    name = "m\x1b[31m[bold]\udcff.onnx"
    bad = replace(EVASION, check="[red]\x1b]0;own\x07", target=name)
    shown = printed(compare_reports(report_of(bad), report_of(replace(bad, target="x"))))
    assert "\x1b" not in shown
    assert "[red] ]0;own @m [31m[bold]?.onnx" in shown
