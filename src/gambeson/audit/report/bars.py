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

_LABEL = 7.0
"""Pixels that a character of a label takes."""
_SMALL = 5.2
"""And one of the small print."""
_LONGEST = 18
"""Characters of a slanted name with its count."""
_SINE = 0.62
"""Of the angle at which names are slanted."""


def bars_svg(bars: Bars) -> str:
    """The chart as one ``<svg>`` element; each bar says its numbers, its interval is a line at its end."""
    spread = [v for s in bars.series for v in (*s.values, *s.low, *s.high)]
    highest = 1.0 if 0 <= max(spread, default=1.0) <= 1 else max(spread)
    y = axis_over([0.0, highest, *(v for v in spread if v < 0)], HEIGHT - BOTTOM, TOP, log=False)
    named = bars.series if len(bars.series) > 1 else ()
    names, above = legend([(f"line c{i % COLOURS}", s.name) for i, s in enumerate(named)])
    room = (WIDTH - RIGHT - LEFT) / max(len(bars.labels), 1)
    below = 0.0 if _level(bars, room) else _below(bars)
    parts = frame(y, bars.x_label, bars.y_label, below)
    width = room * 0.8 / max(len(bars.series), 1)
    for place, label in enumerate(bars.labels):
        start = LEFT + room * (place + 0.1)
        for number_, series in enumerate(bars.series):
            parts += _bar(series, place, label, (start + width * number_, width), y, number_)
    return svg(bars.title, _describe(bars), above, [*parts, *_labels(bars, room, y.start), *names], below)


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
    level = _level(bars, room)
    every = 1 if level else max(1, -(-13 // max(int(room), 1)))
    parts = []
    counts = bars.series[0].n if bars.series else ()
    for place in range(0, len(bars.labels), every):
        at, text = LEFT + room * (place + 0.5), bars.labels[place]
        if level:
            parts.append(f'<text x="{at:.1f}" y="{bottom + 13}" text-anchor="middle">{escape(text)}</text>')
        else:
            parts.append(
                f'<text class="slanted" x="{at + 4:.1f}" y="{bottom + 10}" text-anchor="end" '
                f'transform="rotate(-38 {at + 4:.1f} {bottom + 10})">{escape(_slanted(bars, place))}</text>'
            )
        if level and counts and len(f"n={counts[place]}") * _SMALL <= room:
            parts.append(
                f'<text class="small" x="{at:.1f}" y="{bottom + 25}" text-anchor="middle">n={counts[place]}</text>'
            )
    return parts


def _level(bars: Bars, room: float) -> bool:
    """Whether the names of the groups fit side by side."""
    return max((len(label) for label in bars.labels), default=0) * _LABEL <= room - 2


def _slanted(bars: Bars, place: int) -> str:
    """Name of a group and, behind it, how many samples it has."""
    counts = bars.series[0].n if bars.series else ()
    count = f" ({counts[place]})" if counts else ""
    return shorten(bars.labels[place], _LONGEST - len(count)) + count


def _below(bars: Bars) -> float:
    """Room that slanted names need beyond the usual."""
    longest = max(len(_slanted(bars, place)) for place in range(len(bars.labels)))
    return max(longest * _SMALL * _SINE - 14, 0.0)


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
