"""Curves as inline SVG: lines with bands, linear and logarithmic axes, colours from the page's style sheet."""

from __future__ import annotations

import math
from collections.abc import Sequence
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
    svg,
    x_ticks,
)
from gambeson.core.finding import Curve, Series

_DOTS = 12
_ROOM = 0.01
"""Least room beside single points."""


def curve_svg(curve: Curve) -> str:
    """The curve as one ``<svg>`` element, with a title and a description for those who cannot see it.

    On a log axis, values of 0 are drawn at the axis's lower end.
    """
    across = [v for s in curve.series for v in s.x]
    spread = [v for s in curve.series for v in (*s.y, *s.low, *s.high)]
    if all(len(s.x) == 1 for s in curve.series):
        across, spread = (_with_room(values) for values in (across, spread))
    elif not curve.y_log and max(spread, default=1) <= 1:
        spread += [0.0, 1.0]
    x = axis_over(across, LEFT, WIDTH - RIGHT, log=curve.x_log)
    y = axis_over(spread, HEIGHT - BOTTOM, TOP, log=curve.y_log)
    names, above = legend(_names(curve.series))
    parts = [
        *x_ticks(x, y.start),
        *frame(y, curve.x_label, curve.y_label),
        *mark_lines(curve.marks, x, y.start),
    ]
    colour = 0
    for series in curve.series:
        if series.x:
            parts += _series(series, x, y, colour, steps=curve.steps)
        colour += not series.reference
    return svg(curve.title, _describe(curve), above, [*parts, *names])


def _with_room(values: list[float]) -> list[float]:
    """The same with room on both sides: single points are compared with one another, not with 0."""
    room = max((max(values, default=0) - min(values, default=0)) / 8, _ROOM)
    return [*values, min(values, default=0) - room, max(values, default=0) + room]


def _names(series: Sequence[Series]) -> list[tuple[str, str]]:
    """Class of the line and name of each series, for the legend."""
    found, colour = [], 0
    for item in series:
        found.append(("reference" if item.reference else f"line c{colour % COLOURS}", item.name))
        colour += not item.reference
    return found


def _series(series: Series, x: Axis, y: Axis, colour_number: int, *, steps: bool) -> list[str]:
    points = [(x.at(a), y.at(b)) for a, b in zip(series.x, series.y, strict=True)]
    path = _path(points, steps=steps)
    if series.reference:
        return [f'<path class="reference" d="M{path}"/>']
    colour = f"c{colour_number % COLOURS}"
    parts = []
    if series.low and series.high:
        up = [(x.at(a), y.at(b)) for a, b in zip(series.x, series.high, strict=True)]
        down = [(x.at(a), y.at(b)) for a, b in zip(series.x, series.low, strict=True)]
        outline = f"{_path(up, steps=steps)}L{_path(down, steps=steps, back=True)}"
        parts.append(f'<path class="band {colour}" d="M{outline}Z"/>')
    parts.append(f'<path class="line {colour}" d="M{path}"/>')
    return parts + _points(series, points, colour)


def _path(points: Sequence[tuple[float, float]], *, steps: bool, back: bool = False) -> str:
    """Corners of the line through the points, last to first with ``back``; a step holds until the next point."""
    corners = [points[0]]
    for point in points[1:]:
        if steps:
            corners.append((point[0], corners[-1][1]))
        corners.append(point)
    return "L".join(f"{a:.1f} {b:.1f}" for a, b in (reversed(corners) if back else corners))


def _points(series: Series, points: Sequence[tuple[float, float]], colour: str) -> list[str]:
    """A dot for each point with its numbers as tooltip; on a dense line, some invisible ones to point at."""
    dense = len(points) > _DOTS
    step = math.ceil(len(points) / 40) if dense else 1
    kind, radius = ("tip", 7) if dense else (colour, 3.5)
    parts = []
    for i in range(0, len(points), step):
        a, b = points[i]
        tip = escape(_tip(series, i))
        parts.append(
            f'<circle class="{kind}" cx="{a:.1f}" cy="{b:.1f}" r="{radius}"><title>{tip}</title></circle>'
        )
    return parts


def _tip(series: Series, i: int) -> str:
    band = f" [{number(series.low[i])}, {number(series.high[i])}]" if series.low and series.high else ""
    return f"{series.name}: {number(series.y[i])}{band} at {number(series.x[i])}"


def _describe(curve: Curve) -> str:
    """The lines in words: first and last point of each, and the marks."""
    words = [
        f"{s.name}: {number(s.y[0])} at {number(s.x[0])}, {number(s.y[-1])} at {number(s.x[-1])}"
        for s in curve.series
        if s.x
    ]
    words += [f"{mark.name} at {number(mark.x)}" for mark in curve.marks]
    return f"{curve.y_label} against {curve.x_label}. " + "; ".join(words)
