"""Bars and histograms as inline SVG."""

from __future__ import annotations

from html import escape

from gambeson.audit.report.axes import (
    BOTTOM,
    COLOURS,
    HEIGHT,
    LEFT,
    RIGHT,
    TOP,
    WIDTH,
    Axis,
    axis_over,
    frame,
    legend,
    mark_lines,
    number,
    shorten,
    svg,
    x_ticks,
)
from gambeson.core.finding import Bars, BarSeries, Histogram

_LABEL = 6.2
"""Pixels that a character of a label takes."""


def bars_svg(bars: Bars) -> str:
    """The chart as one ``<svg>`` element; each bar says its numbers, its interval is a line at its end."""
    spread = [v for s in bars.series for v in (*s.values, *s.low, *s.high)]
    highest = 1.0 if 0 <= max(spread, default=1.0) <= 1 else max(spread)
    y = axis_over([0.0, highest, *(v for v in spread if v < 0)], HEIGHT - BOTTOM, TOP, log=False)
    names, above = legend([(f"line c{i % COLOURS}", s.name) for i, s in enumerate(bars.series)])
    parts = frame(y, bars.x_label, bars.y_label)
    room = (WIDTH - RIGHT - LEFT) / max(len(bars.labels), 1)
    width = room * 0.8 / max(len(bars.series), 1)
    for place, label in enumerate(bars.labels):
        start = LEFT + room * (place + 0.1)
        for number_, series in enumerate(bars.series):
            parts += _bar(series, place, label, (start + width * number_, width), y, number_)
    return svg(bars.title, _describe(bars), above, [*parts, *_labels(bars, room, y.start), *names])


def _bar(
    series: BarSeries, place: int, label: str, span: tuple[float, float], y: Axis, colour: int
) -> list[str]:
    left, width = span
    zero, end = y.at(0.0), y.at(series.values[place])
    tip = escape(_tip(series, place, label))
    parts = [
        f'<rect class="bar c{colour % COLOURS}" x="{left:.1f}" y="{min(zero, end):.1f}" width="{width:.1f}" '
        f'height="{max(abs(zero - end), 0.8):.1f}"><title>{tip}</title></rect>'
    ]
    if series.low and series.high:
        middle, low, high = left + width / 2, y.at(series.low[place]), y.at(series.high[place])
        parts.append(f'<path class="whisker" d="M{middle:.1f} {low:.1f}V{high:.1f}"/>')
    return parts


def _labels(bars: Bars, room: float, bottom: float) -> list[str]:
    """Names of the groups; slanted where they would run into one another, some left out where they still would."""
    level = max((len(label) for label in bars.labels), default=0) * _LABEL <= room - 4
    every = 1 if level else max(1, -(-13 // max(int(room), 1)))
    parts = []
    for place in range(0, len(bars.labels), every):
        at, text = LEFT + room * (place + 0.5), bars.labels[place]
        if level:
            parts.append(f'<text x="{at:.1f}" y="{bottom + 16}" text-anchor="middle">{escape(text)}</text>')
        else:
            parts.append(
                f'<text class="slanted" x="{at + 3:.1f}" y="{bottom + 12}" text-anchor="end" '
                f'transform="rotate(-30 {at + 3:.1f} {bottom + 12})">{escape(shorten(text, 12))}</text>'
            )
    return parts


def _tip(series: BarSeries, place: int, label: str) -> str:
    band = (
        f" [{number(series.low[place])}, {number(series.high[place])}]" if series.low and series.high else ""
    )
    of = f", n={series.n[place]}" if series.n else ""
    return f"{label}, {series.name}: {number(series.values[place])}{band}{of}"


def _describe(bars: Bars) -> str:
    words = [
        ", ".join(f"{label} {number(value)}" for label, value in zip(bars.labels, s.values, strict=True))
        for s in bars.series
    ]
    return f"{bars.y_label} by {bars.x_label}. " + "; ".join(
        f"{s.name}: {text}" for s, text in zip(bars.series, words, strict=True)
    )


def histogram_svg(histogram: Histogram) -> str:
    """The chart as one ``<svg>`` element; each bar says its bin and its count."""
    x = axis_over(histogram.edges, LEFT, WIDTH - RIGHT, log=False)
    y = axis_over([0.0, float(max(histogram.counts, default=1) or 1)], HEIGHT - BOTTOM, TOP, log=False)
    parts = [*x_ticks(x, y.start), *frame(y, histogram.x_label, histogram.y_label)]
    bins = zip(histogram.edges, histogram.edges[1:], histogram.counts, strict=False)
    for low, high, count in bins:
        left, right, top = x.at(low), x.at(high), y.at(count)
        tip = escape(f"{count} in [{number(low)}, {number(high)}]")
        parts.append(
            f'<rect class="bar c0" x="{left + 0.5:.1f}" y="{top:.1f}" width="{max(right - left - 1, 0.5):.1f}" '
            f'height="{y.start - top:.1f}"><title>{tip}</title></rect>'
        )
    words = f"{histogram.y_label} by {histogram.x_label}: {sum(histogram.counts)} in all"
    words += "".join(f"; {mark.name} {number(mark.x)}" for mark in histogram.marks)
    return svg(histogram.title, words, 0, [*parts, *mark_lines(histogram.marks, x, y.start)])
