"""Tests of figures as plain text."""

from __future__ import annotations

import pytest

from gambeson.audit.report.figures import (
    figure_line,
    figure_name,
    figure_value,
    finding_key,
    interval_ends,
    one_line,
    valid_unicode,
)
from gambeson.core.finding import Family, Finding, Outcome
from gambeson.core.measurement import Interval, Measurement


@pytest.mark.parametrize(
    ("figure", "line"),
    [
        (
            Measurement(
                "robust_accuracy", 0.41, "fraction", 200, Interval(0.344, 0.479, "wilson"), detail="PGD"
            ),
            "robust accuracy 0.410 [0.344, 0.479] (n=200), 95% wilson; PGD",
        ),
        (Measurement("median_queries", 120.0, "queries", 50), "median queries 120 (n=50) queries"),
    ],
)
def test_a_figure_has_its_n_its_unit_and_its_interval(figure, line):
    assert figure_line(figure) == line


@pytest.mark.parametrize(
    ("figure", "name", "value", "ends"),
    [
        (
            Measurement("tpr_at_0.1pct_fpr", 0.015, "fraction", 9, Interval(0.001, 0.2, "wilson")),
            "TPR at 0.1% FPR",
            "1.5%",
            ("0.1%", "20.0%"),
        ),
        (
            Measurement("rmia.auc", 0.53, "fraction", 9, Interval(0.5, 0.561, "delong")),
            "rmia: AUC",
            "0.530",
            ("0.500", "0.561"),
        ),
        (Measurement("median_queries", 1234.0, "queries", 9), "median queries", "1,234 queries", None),
    ],
)
def test_people_read_rates_in_percent_and_the_interval_like_the_value(figure, name, value, ends):
    assert (figure_name(figure), figure_value(figure), interval_ends(figure)) == (name, value, ends)


@pytest.mark.parametrize(
    ("text", "line"),
    [("a\nb\tc", "a b c"), ("\x1b[2Jx", " [2Jx"), ("exe\u202egnp.", "exe gnp."), ("\udcff", "?"), ("é", "é")],
)
def test_text_from_outside_drives_no_terminal(text, line):
    assert one_line(text) == line


def test_what_utf8_cannot_hold_becomes_a_question_mark():
    assert valid_unicode("a\ud800\nb") == "a?\nb"


@pytest.mark.parametrize(("target", "key"), [("l2 eps=1", "a.b@l2 eps=1"), ("", "a.b")])
def test_a_finding_is_known_by_its_check_and_target(target, key):
    assert finding_key(Finding("a.b", "", Family.PRIVACY, None, Outcome.PASSED, target=target)) == key
