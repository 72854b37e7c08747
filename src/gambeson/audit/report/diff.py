"""What changed between two audits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import msgspec
from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from gambeson.audit.report.figures import figure_value, finding_key, interval_ends, one_line
from gambeson.audit.result import AuditReport
from gambeson.core.finding import Finding, Outcome
from gambeson.core.measurement import Measurement
from gambeson.core.stats import two_proportions

_SIGNIFICANT = 0.05
_BINOMIAL = ("wilson", "clopper-pearson")
"""Interval methods of figures that count successes; only those can be put to the test of two proportions."""


@dataclass(frozen=True, slots=True)
class FigureChange:
    """One figure in both audits.

    Attributes:
        name: ``<check>@<target>: <measurement>``, without ``@<target>`` where there is none.
        before, after: The figure in each.
        intervals_overlap: Whether the two 95% intervals share a point; ``None`` where one is missing.
        p_value: Two-sided, that both are the same rate (two-proportion z-test); ``None`` where the figure does
            not count successes. The test takes the samples as independent; on the same rows it errs on the
            side of "no significant change".
        verdict: ``"better"``, ``"worse"``, ``"changed"`` (no direction is better), or
            ``"no significant change"``: equal, p >= 0.05, or without a p-value intervals that overlap.
    """

    name: str
    before: Measurement
    after: Measurement
    intervals_overlap: bool | None
    p_value: float | None
    verdict: str


@dataclass(frozen=True, slots=True)
class ReportDiff:
    """The difference of two audits.

    Attributes:
        before, after: Models, by name.
        comparable: Why figures may not be comparable (other data, seed, profile or threat); empty when they are.
        appeared, gone: Findings in only one of them, ``<check>@<target>``.
        outcomes: ``(finding, outcome before, outcome after)`` where it changed.
        figures: Figures in both.
        coverage: ``(cell, outcome before, outcome after)`` where it changed.
    """

    before: str
    after: str
    comparable: tuple[str, ...]
    appeared: tuple[str, ...]
    gone: tuple[str, ...]
    outcomes: tuple[tuple[str, Outcome, Outcome], ...]
    figures: tuple[FigureChange, ...]
    coverage: tuple[tuple[str, Outcome, Outcome], ...]

    def to_json(self) -> str:
        """The difference as indented JSON."""
        return msgspec.json.format(msgspec.json.encode(self), indent=1).decode() + "\n"


def compare_reports(before: AuditReport, after: AuditReport) -> ReportDiff:
    """Compare two audits finding by finding."""
    old, new = ({finding_key(f): f for f in report.findings} for report in (before, after))
    both = [key for key in new if key in old]
    cells = {(c.family, c.access): c.outcome for c in before.coverage}
    return ReportDiff(
        before=before.model.name,
        after=after.model.name,
        comparable=_differences(before, after),
        appeared=tuple(key for key in new if key not in old),
        gone=tuple(key for key in old if key not in new),
        outcomes=tuple(
            (key, old[key].outcome, new[key].outcome) for key in both if old[key].outcome != new[key].outcome
        ),
        figures=tuple(change for key in both for change in _figures(key, old[key], new[key])),
        coverage=tuple(
            (f"{c.family}/{c.access}", cells[c.family, c.access], c.outcome)
            for c in after.coverage
            if cells.get((c.family, c.access), c.outcome) != c.outcome
        ),
    )


def _differences(before: AuditReport, after: AuditReport) -> tuple[str, ...]:
    pairs = {
        "data": (before.data.digest, after.data.digest),
        "profile": (before.profile, after.profile),
        "seed": (before.seed, after.seed),
        "threat models": (before.threats, after.threats),
    }
    return tuple(f"the two audits used different {name}" for name, (a, b) in pairs.items() if a != b)


def _figures(key: str, old: Finding, new: Finding) -> list[FigureChange]:
    before = {m.name: m for m in old.measurements}
    return [_change(f"{key}: {m.name}", before[m.name], m) for m in new.measurements if m.name in before]


def _change(name: str, a: Measurement, b: Measurement) -> FigureChange:
    overlap, p = _overlap(a, b), _p_value(a, b)
    same = p >= _SIGNIFICANT if p is not None else bool(overlap)
    if a.value == b.value or same:
        verdict = "no significant change"
    elif b.better == "neither":
        verdict = "changed"
    else:
        verdict = "better" if (b.value > a.value) == (b.better == "higher") else "worse"
    return FigureChange(name, a, b, overlap, p, verdict)


def _overlap(a: Measurement, b: Measurement) -> bool | None:
    if a.interval is None or b.interval is None:
        return None
    return max(a.interval.low, b.interval.low) <= min(a.interval.high, b.interval.high)


def _p_value(a: Measurement, b: Measurement) -> float | None:
    if not all(m.interval and m.interval.method in _BINOMIAL and _is_share(m) for m in (a, b)):
        return None
    return two_proportions(round(a.value * a.n), a.n, round(b.value * b.n), b.n)


def _is_share(m: Measurement) -> bool:
    """Whether it is a share of its n samples; a rate may carry such an interval, rescaled."""
    return m.unit == "fraction" and m.n > 0


def diff_summary(diff: ReportDiff) -> RenderableType:
    """The difference, for a terminal."""
    before, after = one_line(diff.before), one_line(diff.after)
    parts: list[RenderableType] = [Text.assemble(("before ", "bold"), before, ("  after ", "bold"), after)]
    parts += [Text(f"note: {text}", "yellow") for text in diff.comparable]
    parts += [Text(f"+ {one_line(key)}", "cyan") for key in diff.appeared]
    parts += [Text(f"- {one_line(key)}", "dim") for key in diff.gone]
    for key, a, b in (*diff.outcomes, *diff.coverage):
        parts.append(Text(f"{one_line(key)}: {a} → {b}", _COLOURS.get(b, "")))
    if diff.figures:
        parts.append(_figure_table(diff.figures))
    elif len(parts) == 1:
        parts.append(Text("Nothing changed."))
    return Group(*parts)


_COLOURS = {
    Outcome.PASSED: "green",
    Outcome.FAILED: "red",
    Outcome.ERRORED: "magenta",
    Outcome.NOT_ASSESSED: "yellow",
    "better": "green",
    "worse": "red",
}


def _figure_table(figures: Sequence[FigureChange]) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for column in ("Figure", "before", "after", "p", "verdict"):
        table.add_column(column, overflow="fold", no_wrap=column == "p")
    for f in figures:
        p = "" if f.p_value is None else "<1e-4" if f.p_value < 1e-4 else f"{f.p_value:.2g}"
        verdict = Text(f.verdict, _COLOURS.get(f.verdict, ""))
        table.add_row(Text(one_line(f.name)), Text(_figure(f.before)), Text(_figure(f.after)), p, verdict)
    return table


def _figure(figure: Measurement) -> str:
    ends = interval_ends(figure)
    return f"{figure_value(figure)} [{ends[0]}, {ends[1]}]" if ends else figure_value(figure)
