from __future__ import annotations

import pytest

from gambeson.audit.report.templating import _bar, _moment, cell_text, describe_taxonomy
from gambeson.core.measurement import Interval, Measurement


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "–"),
        (1234567, "1,234,567"),
        (0.123456, "0.1235"),
        (123456.7, "123,457"),
        ("name", "name"),
        (0, "0"),
    ],
)
def test_a_cell_reads_well(value, text):
    assert cell_text(value) == text


def test_only_fractions_have_a_bar():
    ends = Interval(0.25, 0.75, "wilson")
    assert _bar(Measurement("a", 0.5, "fraction", 10, ends)).width == 50
    assert _bar(Measurement("a", 0.5, "points per 100 passes", 10, ends)) is None
    assert _bar(Measurement("a", 0.5, "fraction", 10)) is None


def test_a_moment_is_said_in_words_and_other_text_stays():
    assert _moment("2026-01-02T03:04:05+00:00") == "2 January 2026, 03:04 UTC"
    assert _moment("yesterday") == "yesterday"


def test_an_unknown_identifier_stands_for_itself():
    assert describe_taxonomy("ours:1").id == "ours:1"
    assert "MITRE ATLAS" in describe_taxonomy("atlas:AML.T0043").release
