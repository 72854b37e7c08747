from __future__ import annotations

from itertools import pairwise
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gambeson.audit.report.charts import curve_svg
from gambeson.core.finding import Curve, Mark, Series
from tests.unit.audit.report.samples import EVASION, HOSTILE, MEMBERSHIP

NUMBERS = st.lists(st.floats(0, 1e6, allow_nan=False), min_size=1, max_size=20)


def parsed(curve):
    return ET.fromstring(curve_svg(curve))


@pytest.mark.parametrize("curve", [EVASION.evidence.curves[0], MEMBERSHIP.evidence.curves[0]])
def test_it_is_well_formed_and_says_what_it_shows(curve):
    svg = parsed(curve)
    assert svg.find("title").text == curve.title
    assert curve.series[0].name in svg.find("desc").text


def test_a_band_is_drawn_where_there_is_one_and_references_are_dashed():
    classes = [e.get("class", "") for e in parsed(EVASION.evidence.curves[0]).iter()]
    assert sum("band" in c for c in classes) == 1
    assert "reference" in classes


@given(x=NUMBERS, log=st.booleans())
def test_no_numbers_break_it(x, log):
    x = sorted(x)
    curve = Curve("k", "t", "x", "y", (Series("s", tuple(x), tuple(x)),), x_log=log, y_log=log)
    assert "nan" not in curve_svg(curve)
    parsed(curve)


def test_a_line_without_points_is_named_and_not_drawn():
    svg = parsed(Curve("k", "t", "x", "y", (Series("none", (), ()), Series("two", (0.0, 1.0), (0.2, 0.4)))))
    drawn = [e.get("d") for e in svg.iter() if e.get("class") == "line c0"]
    assert len(drawn) == 1, "its sample in the legend alone"
    assert "none" in [e.text for e in svg.iter() if e.get("class") == "legend"]


def test_points_say_their_numbers_with_the_band_and_dense_lines_have_some():
    tips = [e.find("title").text for e in parsed(EVASION.evidence.curves[0]).iter("circle")]
    assert "measured: 0.4 [0.3, 0.5] at 0.1" in tips
    x = tuple(i / 999 for i in range(1000))
    dense = parsed(Curve("k", "t", "x", "y", (Series("s", x, x),)))
    assert 20 <= len(list(dense.iter("circle"))) <= 40


def test_long_names_take_rows_above_the_plot_and_never_leave_the_picture():
    names = [f"{i} " + "name" * 10 for i in range(4)] + ["n" * 500]
    svg = parsed(Curve("k", "t", "x", "y", tuple(Series(n, (0.0, 1.0), (0.0, 1.0)) for n in names)))
    _, top, width, _ = map(float, svg.get("viewBox").split())
    shown = [e for e in svg.iter() if e.get("class") == "legend"]
    assert len(shown) == 5
    assert top <= -3 * 17
    assert all(float(e.get("x")) + 6.4 * len(e.text) < width for e in shown)
    assert len({e.get("y") for e in shown}) == 5


def test_hostile_names_stay_text():
    text = HOSTILE.replace("\ud800", "").replace("\x00", "").replace("\x0b", "")
    svg = curve_svg(Curve("k", text, text, text, (Series(text, (0.0, 1.0), (0.0, 1.0)),)))
    assert "<img" not in svg
    ET.fromstring(svg)


def test_a_staircase_holds_its_value_until_the_next_point():
    line = (Series("s", (0.0, 1.0, 2.0), (1.0, 0.5, 0.0), (1.0, 0.5, 0.0), (1.0, 0.5, 0.0)),)
    straight = parsed(Curve("k", "t", "x", "y", line))
    stairs = parsed(Curve("k", "t", "x", "y", line, steps=True))

    def corners(svg, kind):
        path = next(e.get("d") for e in svg.iter() if e.get("class") == f"{kind} c0")
        return [tuple(map(float, c.split())) for c in path.strip("MZ").split("L")]

    assert len(corners(straight, "line")) == 3
    found = corners(stairs, "line")
    assert len(found) == 5
    assert all(a[0] == b[0] or a[1] == b[1] for a, b in pairwise(found))
    assert found[1][1] == found[0][1]
    assert corners(stairs, "band") == [*found, *reversed(found)]


def test_marks_stand_upright_and_are_named_in_words():
    curve = Curve("k", "t", "x", "y", (Series("s", (0.0, 4.0), (1.0, 0.0)),), marks=(Mark("half", 2.0),))
    svg = parsed(curve)
    mark = next(e for e in svg.iter() if e.get("class") == "mark")
    assert mark.get("d").startswith("M258.0 ")
    assert "half at 2" in svg.find("desc").text
