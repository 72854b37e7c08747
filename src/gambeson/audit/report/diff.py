"""What changed between two audits."""

from __future__ import annotations

from dataclasses import dataclass

import msgspec
from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from gambeson.audit.result import AuditReport
from gambeson.core.finding import Finding, Outcome
from gambeson.core.measurement import Measurement
from gambeson.core.stats import two_proportions

_SIGNIFICANT = 0.05


@dataclass(frozen=True, slots=True)
class FigureChange:
    """One figure in both audits.

    Attributes:
        name: ``<check>.<measurement>``, with ``@<target>`` where there is one.
        before, after: Values.
        p_value: Two-sided, that both are the same rate (two-proportion z-test); ``None`` where the figure is
            no rate.
        verdict: ``"better"``, ``"worse"``, ``"changed"``, or ``"no significant change"`` (p >= 0.05).
    """

    name: str
    before: float
    after: float
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
    old, new = ({_key(f): f for f in report.findings} for report in (before, after))
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


def _key(finding: Finding) -> str:
    return f"{finding.check}@{finding.target}" if finding.target else finding.check


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
    p = None
    if a.interval and b.interval and a.unit == b.unit == "fraction" and min(a.n, b.n) > 0:
        p = two_proportions(round(a.value * a.n), a.n, round(b.value * b.n), b.n)
    if a.value == b.value or (p is not None and p >= _SIGNIFICANT):
        verdict = "no significant change"
    elif b.better == "neither":
        verdict = "changed"
    else:
        verdict = "better" if (b.value > a.value) == (b.better == "higher") else "worse"
    return FigureChange(name, a.value, b.value, p, verdict)


def diff_summary(diff: ReportDiff) -> RenderableType:
    """The difference, for a terminal."""
    parts: list[RenderableType] = [
        Text.assemble(("before ", "bold"), diff.before, ("  after ", "bold"), diff.after)
    ]
    parts += [Text(f"note: {text}", "yellow") for text in diff.comparable]
    parts += [Text(f"+ {key}", "cyan") for key in diff.appeared] + [
        Text(f"- {key}", "dim") for key in diff.gone
    ]
    for key, a, b in (*diff.outcomes, *diff.coverage):
        parts.append(Text(f"{key}: {a} → {b}", "red" if b is Outcome.FAILED else "green"))
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for column in ("Figure", "before", "after", "p", "verdict"):
        table.add_column(column, overflow="fold")
    colours = {"better": "green", "worse": "red"}
    for f in diff.figures:
        p = "" if f.p_value is None else f"{f.p_value:.3g}"
        style = colours.get(f.verdict, "")
        table.add_row(f.name, f"{f.before:.4g}", f"{f.after:.4g}", p, Text(f.verdict, style))
    return Group(*parts, table) if diff.figures else Group(*parts)
