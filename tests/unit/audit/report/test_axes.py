from __future__ import annotations

from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gambeson.audit.report.axes import WIDTH, Axis, axis_over, legend, mark_lines, number, shorten
from gambeson.core.finding import Mark


def test_linear_and_log_axes_put_known_values_at_known_places():
    linear = Axis(0.0, 2.0, 100, 300, False)
    assert (linear.at(0), linear.at(1), linear.at(9)) == (100, 200, 300)
    log = Axis(0.01, 1.0, 100, 300, True)
    assert log.at(0.1) == pytest.approx(200)
    assert log.at(0.0) == 100
    assert log.ticks() == pytest.approx([0.01, 0.1, 1.0])


@given(st.lists(st.floats(-1e6, 1e6), max_size=9), st.booleans())
def test_an_axis_holds_its_values_and_its_ticks(values, log):
    axis = axis_over(values, 0, 100, log=log)
    assert axis.low < axis.high
    assert all(0 <= axis.at(v) <= 100 for v in values)
    assert all(axis.low - 1e-6 <= t <= axis.high * (1 + 1e-6) + 1e-6 for t in axis.ticks())


def test_numbers_are_short():
    assert [number(v) for v in (0.0, 0.25, 1234.567, 0.0000123)] == ["0", "0.25", "1235", "1e-5"]


def test_marks_that_crowd_one_another_show_one_name_and_say_all():
    axis = Axis(0.0, 100.0, 0, 400, False)
    marks = (Mark("first", 50.0), Mark("second", 51.0), Mark("third", 90.0))
    parts = ET.fromstring("<svg>" + "".join(mark_lines(marks, axis, 200)) + "</svg>")
    assert [e.text for e in parts.iter() if e.get("class") == "mark-name"] == ["first", "third"]
    assert [e.text for e in parts.iter("title")] == ["first at 50", "second at 51", "third at 90"]


def test_names_that_do_not_fit_a_row_take_another():
    one, above = legend([("line c0", "short")])
    many, more = legend([("line c0", "a name of some length " * 2)] * 3)
    assert above == 0 < more
    assert len(many) > len(one)
    assert WIDTH > 0


def test_what_was_cut_shows_it():
    assert shorten("x" * 100, 10) == "x" * 9 + "…"
    assert shorten("short", 10) == "short"
