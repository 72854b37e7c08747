"""Charts as inline SVG: lines with bands, linear and logarithmic axes, colours from the page's style sheet."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from gambeson.core.finding import Curve, Series

_WIDTH, _HEIGHT = 470, 290
_LEFT, _RIGHT, _TOP, _BOTTOM = 64, 18, 30, 48
_COLOURS = 5
_ROW = 17
_LONGEST = 58
_DOTS = 12
_TINY = 1e-290
"""Below this, differences and powers of ten leave what a double can hold."""


@dataclass(frozen=True, slots=True)
class _Axis:
    """Maps values to pixels.

    Attributes:
        low, high: Range of values, low below high; both above 0 on a log axis.
        start, end: Pixels of both ends.
        log: Whether it is logarithmic.
    """

    low: float
    high: float
    start: float
    end: float
    log: bool

    def at(self, value: float) -> float:
        """Pixel of a value; what lies beyond an end is drawn at that end."""
        value = min(max(value, self.low), self.high)
        if self.log:
            share = math.log(value / self.low) / math.log(self.high / self.low)
        else:
            share = (value - self.low) / (self.high - self.low)
        return self.start + share * (self.end - self.start)

    def ticks(self) -> list[float]:
        """Round values inside the range."""
        if self.log:
            first, last = math.floor(math.log10(self.low) + 1e-9), math.floor(math.log10(self.high) + 1e-9)
            powers = range(first, last + 1, 1 + (last - first) // 7)
            factors = (1,) if last - first > 1 else (1, 2, 5)
            found = [f * 10.0**p for p in powers for f in factors]
            return [v for v in found if self.low * (1 - 1e-9) <= v <= self.high * (1 + 1e-9)]
        step = _round_step((self.high - self.low) / 5)
        first = math.ceil(self.low / step - 1e-9)
        return [i * step for i in range(first, math.floor(self.high / step + 1e-9) + 1)]


def curve_svg(curve: Curve) -> str:
    """The curve as one ``<svg>`` element, with a title and a description for those who cannot see it.

    On a log axis, values of 0 are drawn at the axis's lower end.
    """
    x = _axis([v for s in curve.series for v in s.x], _LEFT, _WIDTH - _RIGHT, log=curve.x_log)
    spread = [v for s in curve.series for v in (*s.y, *s.low, *s.high)]
    if not curve.y_log and max(spread, default=1) <= 1:
        spread += [0.0, 1.0]
    y = _axis(spread, _HEIGHT - _BOTTOM, _TOP, log=curve.y_log)
    legend, above = _legend(curve.series)
    lines = [
        f'<svg class="chart" viewBox="0 {-above} {_WIDTH} {_HEIGHT + above}" role="img">',
        f"<title>{escape(curve.title)}</title><desc>{escape(_describe(curve))}</desc>",
        *_grid(x, y, curve),
    ]
    number = 0
    for series in curve.series:
        if series.x:
            lines += _series(series, x, y, number)
        number += not series.reference
    return "".join([*lines, *legend, "</svg>"])


def _axis(values: Sequence[float], start: float, end: float, *, log: bool) -> _Axis:
    """The range of the values; a log axis starts at a power of ten and spans twelve at most."""
    if log:
        positive = [v for v in values if v > _TINY] or [0.1, 1.0]
        high = max(positive)
        low = 10.0 ** math.floor(math.log10(max(min(positive), high * 1e-12)) + 1e-9)
        return _Axis(low, high if high > low else low * 10, start, end, True)
    low, high = min(values, default=0.0), max(values, default=1.0)
    if high - low <= max(1e-9 * max(abs(low), abs(high)), _TINY):
        high = low + max(abs(low), 1.0)
    return _Axis(low, high, start, end, False)


def _round_step(step: float) -> float:
    power = 10.0 ** math.floor(math.log10(step))
    return next(f * power for f in (1, 2, 2.5, 5, 10) if f * power >= step * (1 - 1e-9))


def _number(value: float) -> str:
    return f"{value:.4g}" if value == 0 or abs(value) >= 1e-3 else f"{value:.0e}".replace("e-0", "e-")


def _grid(x: _Axis, y: _Axis, curve: Curve) -> list[str]:
    bottom, right = y.start, x.end
    parts = []
    for value in x.ticks():
        at = x.at(value)
        parts.append(f'<line class="grid" x1="{at:.1f}" x2="{at:.1f}" y1="{_TOP}" y2="{bottom}"/>')
        parts.append(f'<text x="{at:.1f}" y="{bottom + 16}" text-anchor="middle">{_number(value)}</text>')
    for value in y.ticks():
        at = y.at(value)
        parts.append(f'<line class="grid" x1="{_LEFT}" x2="{right}" y1="{at:.1f}" y2="{at:.1f}"/>')
        parts.append(f'<text x="{_LEFT - 8}" y="{at + 4:.1f}" text-anchor="end">{_number(value)}</text>')
    middle = (_TOP + bottom) / 2
    parts.append(f'<path class="axis" d="M{_LEFT} {_TOP}V{bottom}H{right}"/>')
    parts.append(
        f'<text class="label" x="{(_LEFT + right) / 2}" y="{_HEIGHT - 10}" text-anchor="middle">'
        f"{escape(_short(curve.x_label))}</text>"
    )
    parts.append(
        f'<text class="label" x="12" y="{middle}" text-anchor="middle" '
        f'transform="rotate(-90 12 {middle})">{escape(_short(curve.y_label, 34))}</text>'
    )
    return parts


def _series(series: Series, x: _Axis, y: _Axis, number: int) -> list[str]:
    points = [(x.at(a), y.at(b)) for a, b in zip(series.x, series.y, strict=True)]
    path = "M" + "L".join(f"{a:.1f} {b:.1f}" for a, b in points)
    if series.reference:
        return [f'<path class="reference" d="{path}"/>']
    colour = f"c{number % _COLOURS}"
    parts = []
    if series.low and series.high:
        up = [(x.at(a), y.at(b)) for a, b in zip(series.x, series.high, strict=True)]
        down = [(x.at(a), y.at(b)) for a, b in zip(series.x, series.low, strict=True)]
        outline = "L".join(f"{a:.1f} {b:.1f}" for a, b in [*up, *reversed(down)])
        parts.append(f'<path class="band {colour}" d="M{outline}Z"/>')
    parts.append(f'<path class="line {colour}" d="{path}"/>')
    return parts + _points(series, points, colour)


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
    band = f" [{_number(series.low[i])}, {_number(series.high[i])}]" if series.low and series.high else ""
    return f"{series.name}: {_number(series.y[i])}{band} at {_number(series.x[i])}"


def _legend(series: Sequence[Series]) -> tuple[list[str], int]:
    """Names of the lines above the plot, so that no line is hidden, and the room they need beyond one row."""
    parts: list[str] = []
    number, left, row = 0, float(_LEFT), 0
    for item in series:
        kind = "reference" if item.reference else f"line c{number % _COLOURS}"
        number += not item.reference
        name = _short(item.name)
        width = 44 + 6.4 * len(name)
        if left > _LEFT and left + width > _WIDTH:
            left, row = float(_LEFT), row + 1
        at = 12 + _ROW * row
        parts.append(f'<path class="{kind}" d="M{left:.0f} {at}h20"/>')
        parts.append(f'<text class="legend" x="{left + 26:.0f}" y="{at + 4}">{escape(name)}</text>')
        left += width
    above = _ROW * row
    return [f'<g transform="translate(0 {-above})">', *parts, "</g>"], above


def _short(text: str, longest: int = _LONGEST) -> str:
    return text if len(text) <= longest else text[: longest - 1] + "…"


def _describe(curve: Curve) -> str:
    """The lines in words: first and last point of each."""
    words = [
        f"{s.name}: {_number(s.y[0])} at {_number(s.x[0])}, {_number(s.y[-1])} at {_number(s.x[-1])}"
        for s in curve.series
        if s.x
    ]
    return f"{curve.y_label} against {curve.x_label}. " + "; ".join(words)
