"""What every chart shares: sizes, axes with round ticks, the frame, the legend."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from gambeson.core.finding import Mark

WIDTH, HEIGHT = 470, 290
LEFT, RIGHT, TOP, BOTTOM = 64, 18, 30, 48
COLOURS = 5
_ROW = 17
_LONGEST = 58
_TINY = 1e-290
"""Below this, differences and powers of ten leave what a double can hold."""


@dataclass(frozen=True, slots=True)
class Axis:
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


def axis_over(values: Sequence[float], start: float, end: float, *, log: bool) -> Axis:
    """The range of the values; a log axis starts at a power of ten and spans twelve at most."""
    if log:
        positive = [v for v in values if v > _TINY] or [0.1, 1.0]
        high = max(positive)
        low = 10.0 ** math.floor(math.log10(max(min(positive), high * 1e-12)) + 1e-9)
        return Axis(low, high if high > low else low * 10, start, end, True)
    low, high = min(values, default=0.0), max(values, default=1.0)
    if high - low <= max(1e-9 * max(abs(low), abs(high)), _TINY):
        high = low + max(abs(low), 1.0)
    return Axis(low, high, start, end, False)


def _round_step(step: float) -> float:
    power = 10.0 ** math.floor(math.log10(step))
    return next(f * power for f in (1, 2, 2.5, 5, 10) if f * power >= step * (1 - 1e-9))


def number(value: float) -> str:
    """A value as short text."""
    return f"{value:.4g}" if value == 0 or abs(value) >= 1e-3 else f"{value:.0e}".replace("e-0", "e-")


def frame(y: Axis, x_label: str, y_label: str, below: float = 0) -> list[str]:
    """The y grid, the two axes and their labels; the x label stands ``below`` pixels lower than usual."""
    bottom, right = y.start, WIDTH - RIGHT
    parts = []
    for value in y.ticks():
        at = y.at(value)
        parts.append(f'<line class="grid" x1="{LEFT}" x2="{right}" y1="{at:.1f}" y2="{at:.1f}"/>')
        parts.append(f'<text x="{LEFT - 8}" y="{at + 4:.1f}" text-anchor="end">{number(value)}</text>')
    middle = (TOP + bottom) / 2
    parts.append(f'<path class="axis" d="M{LEFT} {TOP}V{bottom}H{right}"/>')
    parts.append(
        f'<text class="label" x="{(LEFT + right) / 2}" y="{HEIGHT - 6 + below:.0f}" text-anchor="middle">'
        f"{escape(shorten(x_label))}</text>"
    )
    parts.append(
        f'<text class="label" x="12" y="{middle}" text-anchor="middle" '
        f'transform="rotate(-90 12 {middle})">{escape(shorten(y_label, 34))}</text>'
    )
    return parts


def x_ticks(x: Axis, bottom: float) -> list[str]:
    """The x grid with its numbers."""
    parts = []
    for value in x.ticks():
        at = x.at(value)
        parts.append(f'<line class="grid" x1="{at:.1f}" x2="{at:.1f}" y1="{TOP}" y2="{bottom}"/>')
        parts.append(f'<text x="{at:.1f}" y="{bottom + 16}" text-anchor="middle">{number(value)}</text>')
    return parts


def mark_lines(marks: Sequence[Mark], x: Axis, bottom: float) -> list[str]:
    """Upright lines with their names along them; a name that would cover another's moves down."""
    parts = []
    taken: list[float] = []
    for mark in marks:
        at = x.at(mark.x)
        crowd = sum(abs(at - other) < 12 for other in taken)
        taken.append(at)
        tip = f"<title>{escape(mark.name)} at {number(mark.x)}</title>"
        parts.append(f'<path class="mark" d="M{at:.1f} {TOP}V{bottom}">{tip}</path>')
        if not crowd:
            side = at - 4 if at > LEFT + 14 else at + 11
            parts.append(
                f'<text class="mark-name" x="{side:.1f}" y="{TOP + 4}" text-anchor="end" '
                f'transform="rotate(-90 {side:.1f} {TOP + 4})">{escape(shorten(mark.name, 30))}</text>'
            )
    return parts


def legend(names: Sequence[tuple[str, str]]) -> tuple[list[str], int]:
    """Names above the plot, so that no line is hidden, and the room they need beyond one row.

    Args:
        names: (class of the sample, name) from left to right.
    """
    parts: list[str] = []
    left, row = float(LEFT), 0
    for kind, name in names:
        name = shorten(name)
        width = 44 + 6.4 * len(name)
        if left > LEFT and left + width > WIDTH:
            left, row = float(LEFT), row + 1
        at = 12 + _ROW * row
        parts.append(f'<path class="{kind}" d="M{left:.0f} {at}h20"/>')
        parts.append(f'<text class="legend" x="{left + 26:.0f}" y="{at + 4}">{escape(name)}</text>')
        left += width
    above = _ROW * row
    return [f'<g transform="translate(0 {-above})">', *parts, "</g>"], above


def shorten(text: str, longest: int = _LONGEST) -> str:
    """The text, with an ellipsis where it was cut."""
    return text if len(text) <= longest else text[: longest - 1] + "…"


def svg(title: str, words: str, above: int, parts: Sequence[str], below: float = 0) -> str:
    """The whole element, with a title and a description for those who cannot see it.

    Args:
        title: Of the chart.
        words: What it shows.
        above: Pixels of room beyond the usual.
        parts: Elements.
        below: Likewise, at the lower end.
    """
    head = (
        f'<svg class="chart" viewBox="0 {-above} {WIDTH} {HEIGHT + above + below:.0f}" role="img">'
        f"<title>{escape(title)}</title><desc>{escape(words)}</desc>"
    )
    return "".join([head, *parts, "</svg>"])
