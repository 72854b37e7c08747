from __future__ import annotations

from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gambeson.audit.report.bars import bars_svg, histogram_svg
from gambeson.core.finding import Bars, BarSeries, Histogram, Mark
from tests.unit.audit.report.samples import HOSTILE

BARS = Bars(
    "accuracy_by_class",
    "By class",
    "class",
    "accuracy",
    ("cat", "dog"),
    (
        BarSeries("clean", (1.0, 0.5), (0.9, 0.4), (1.0, 0.6), (10, 20)),
        BarSeries("robust", (0.5, 0.0), (0.4, 0.0), (0.6, 0.1), (10, 20)),
    ),
)


def boxes(svg):
    return list(ET.fromstring(svg).iter("rect"))


def test_heights_stand_in_proportion_and_each_bar_says_its_numbers():
    found = boxes(bars_svg(BARS))
    heights = [float(e.get("height")) for e in found]
    assert heights[0] == pytest.approx(2 * heights[1], abs=0.2)
    assert found[0].find("title").text == "cat, clean: 1 [0.9, 1], n=10"
    assert heights[3] <= 1


def test_colours_tell_the_series_apart_and_the_legend_names_them():
    svg = bars_svg(BARS)
    assert [e.get("class") for e in boxes(svg)] == ["bar c0", "bar c1", "bar c0", "bar c1"]
    assert [e.text for e in ET.fromstring(svg).iter() if e.get("class") == "legend"] == ["clean", "robust"]


def test_each_group_says_how_many_samples_it_has_and_one_series_needs_no_legend():
    both = ET.fromstring(bars_svg(BARS))
    assert [e.text for e in both.iter() if e.get("class") == "small"] == ["n=10", "n=20"]
    alone = ET.fromstring(bars_svg(Bars("k", "t", "x", "y", ("a",), (BarSeries("alone", (1.0,)),))))
    assert [e.text for e in alone.iter() if e.get("class") == "legend"] == []


def test_long_labels_are_slanted_and_many_are_thinned():
    names = tuple(f"a long class name {i}" for i in range(200))
    svg = bars_svg(Bars("k", "t", "x", "y", names, (BarSeries("s", (1.0,) * 200),)))
    shown = [e for e in ET.fromstring(svg).iter() if e.get("class") == "slanted"]
    assert 10 < len(shown) < 60
    assert len(boxes(svg)) == 200


def test_negative_values_hang_below_zero():
    svg = bars_svg(Bars("k", "t", "x", "y", ("a", "b"), (BarSeries("s", (2.0, -1.0)),)))
    up, down = boxes(svg)
    bottom = float(up.get("y")) + float(up.get("height"))
    assert bottom == pytest.approx(float(down.get("y")), abs=0.2)
    assert float(up.get("height")) == pytest.approx(2 * float(down.get("height")), rel=0.02)


@given(st.lists(st.floats(-1e6, 1e6), max_size=30))
def test_no_numbers_break_it(values):
    labels = tuple(str(i) for i in range(len(values)))
    svg = bars_svg(Bars("k", "t", "x", "y", labels, (BarSeries("s", tuple(values)),)))
    assert "nan" not in svg
    ET.fromstring(svg)


def test_a_histogram_draws_one_box_for_each_bin_and_its_median():
    svg = histogram_svg(
        Histogram("distance", "t", "l2 distance", "inputs", (0.0, 1.0, 2.0), (3, 6), (Mark("median", 1.2),))
    )
    low, high = boxes(svg)
    assert float(high.get("height")) == pytest.approx(2 * float(low.get("height")), abs=0.2)
    assert high.find("title").text == "6 in [1, 2]"
    assert "9 in all" in svg
    assert "median 1.2" in svg


def test_an_empty_histogram_is_a_frame():
    assert boxes(histogram_svg(Histogram("d", "t", "x", "y", (), ()))) == []


def test_hostile_names_stay_text():
    text = HOSTILE.replace("\ud800", "").replace("\x00", "").replace("\x0b", "")
    svg = bars_svg(Bars("k", text, text, text, (text,), (BarSeries(text, (1.0,)),)))
    svg += histogram_svg(Histogram("k", text, text, text, (0.0, 1.0), (1,), (Mark(text, 0.5),)))
    assert "<img" not in svg
