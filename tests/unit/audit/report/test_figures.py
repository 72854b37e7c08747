"""Tests of figures as plain text."""

from __future__ import annotations

import pytest

from gambeson.audit.report.figures import figure_line, finding_key
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


@pytest.mark.parametrize(("target", "key"), [("l2 eps=1", "a.b@l2 eps=1"), ("", "a.b")])
def test_a_finding_is_known_by_its_check_and_target(target, key):
    assert finding_key(Finding("a.b", "", Family.PRIVACY, None, Outcome.PASSED, target=target)) == key
