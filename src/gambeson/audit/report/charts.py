"""Charts as inline SVG: lines with bands, linear and logarithmic axes, colours from the page's style sheet."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from gambeson.core.finding import Curve, Series

_WIDTH, _HEIGHT = 560, 320
_LEFT, _RIGHT, _TOP, _BOTTOM = 62, 16, 34, 52
_COLOURS = 5


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
            powers = range(math.floor(math.log10(self.low)), math.floor(math.log10(self.high) + 1e-9) + 1)
            factors = (1,) if len(powers) > 2 else (1, 2, 5)
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
    lines = [
        f'<svg class="chart" viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img">',
        f"<title>{escape(curve.title)}</title><desc>{escape(_describe(curve))}</desc>",
        *_grid(x, y, curve),
    ]
    number = 0
    for series in curve.series:
        lines += _series(series, x, y, number)
        number += not series.reference
    return "".join([*lines, *_legend(curve.series), "</svg>"])


def _axis(values: Sequence[float], start: float, end: float, *, log: bool) -> _Axis:
    if log:
        positive = [v for v in values if v > 0] or [0.1, 1.0]
        low, high = min(positive), max(positive)
        low = 10.0 ** math.floor(math.log10(low) + 1e-9)
        return _Axis(low, high if high > low else low * 10, start, end, True)
    low, high = min(values, default=0.0), max(values, default=1.0)
    return _Axis(low, high if high > low else low + 1, start, end, False)


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
        f'<text class="label" x="{(_LEFT + right) / 2}" y="{_HEIGHT - 14}" text-anchor="middle">'
        f"{escape(curve.x_label)}</text>"
    )
    parts.append(
        f'<text class="label" x="14" y="{middle}" text-anchor="middle" '
        f'transform="rotate(-90 14 {middle})">{escape(curve.y_label)}</text>'
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
    if len(points) <= 12:
        for (a, b), value_x, value_y in zip(points, series.x, series.y, strict=True):
            tip = escape(f"{series.name}: {_number(value_y)} at {_number(value_x)}")
            parts.append(
                f'<circle class="{colour}" cx="{a:.1f}" cy="{b:.1f}" r="3.5"><title>{tip}</title></circle>'
            )
    return parts


def _legend(series: Sequence[Series]) -> list[str]:
    """Names of the lines, in a row above the plot so that no line is hidden."""
    parts, number, left = [], 0, float(_LEFT)
    for item in series:
        kind = "reference" if item.reference else f"line c{number % _COLOURS}"
        number += not item.reference
        parts.append(f'<path class="{kind}" d="M{left:.0f} 14h22"/>')
        parts.append(f'<text class="legend" x="{left + 28:.0f}" y="18">{escape(item.name)}</text>')
        left += 46 + 6.6 * len(item.name)
    return parts


def _describe(curve: Curve) -> str:
    """The lines in words: first and last point of each."""
    words = [
        f"{s.name}: {_number(s.y[0])} at {_number(s.x[0])}, {_number(s.y[-1])} at {_number(s.x[-1])}"
        for s in curve.series
        if s.x
    ]
    return f"{curve.y_label} against {curve.x_label}. " + "; ".join(words)
