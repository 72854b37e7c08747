from __future__ import annotations

from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gambeson.audit.report.charts import _Axis, curve_svg
from gambeson.core.finding import Curve, Series
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


def test_linear_and_log_axes_put_known_values_at_known_places():
    linear = _Axis(0.0, 2.0, 100, 300, False)
    assert (linear.at(0), linear.at(1), linear.at(9)) == (100, 200, 300)
    log = _Axis(0.01, 1.0, 100, 300, True)
    assert log.at(0.1) == pytest.approx(200)
    assert log.at(0.0) == 100
    assert log.ticks() == pytest.approx([0.01, 0.1, 1.0])


@given(x=NUMBERS, log=st.booleans())
def test_no_numbers_break_it(x, log):
    x = sorted(x)
    curve = Curve("k", "t", "x", "y", (Series("s", tuple(x), tuple(x)),), x_log=log, y_log=log)
    assert "nan" not in curve_svg(curve)
    parsed(curve)


def test_hostile_names_stay_text():
    text = HOSTILE.replace("\ud800", "").replace("\x00", "").replace("\x0b", "")
    svg = curve_svg(Curve("k", text, text, text, (Series(text, (0.0, 1.0), (0.0, 1.0)),)))
    assert "<img" not in svg
    ET.fromstring(svg)
