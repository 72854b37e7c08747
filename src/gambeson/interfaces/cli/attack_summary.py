"""What ``gambeson attack`` says in a terminal: figures, stages, a comparison."""

from __future__ import annotations

from collections.abc import Sequence

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from gambeson.audit.report.figures import figure_name, figure_value, interval_ends, one_line
from gambeson.audit.report.templating import cell_text
from gambeson.core import finding
from gambeson.core.measurement import Measurement
from gambeson.service.attack_report import AttackReport, AttackRun


def attack_summary(run: AttackRun) -> RenderableType:
    """The run in short, for a terminal of 80 columns or more; it says everything without colour too."""
    parts: list[RenderableType] = [Text(), _head(run)]
    if run.comparison is not None:
        parts += [Text(), _exhibit(run.comparison), Text(), Text("All together", "bold")]
        parts += [_figures(run.together), *(_cut(report) for report in run.attacks if report.cut)]
        return Group(*parts)
    (report,) = run.attacks
    parts += [Text(), _figures(report.measurements)]
    for table in report.evidence.tables:
        parts += [Text(), _exhibit(table)]
    return Group(*parts, *([_cut(report)] if report.cut else []))


def _head(run: AttackRun) -> Text:
    names = ", ".join(report.attack for report in run.attacks)
    head = Text.assemble((names, "bold cyan"), " on ", (one_line(run.model.name), "bold"))
    return head.append(f"\n{one_line(run.data.name)}, {run.attacks[0].threat}, seed {run.seed}", "dim")


def _figures(measurements: Sequence[Measurement]) -> Table:
    """Figures below one another: name, value, 95% interval, n."""
    grid = Table.grid(padding=(0, 2))
    grid.add_column(no_wrap=True)
    grid.add_column(justify="right")
    grid.add_column(style="dim")
    grid.add_column(style="dim", no_wrap=True)
    for figure in measurements:
        ends = interval_ends(figure)
        spread = f"[{ends[0]}, {ends[1]}]" if ends else ""
        grid.add_row(figure_name(figure), Text(figure_value(figure)), Text(spread), f"n={figure.n}")
    return grid


def _exhibit(table: finding.Table) -> Table:
    """A table of the evidence; its first column names the rows."""
    drawn = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False, collapse_padding=True)
    for number, name in enumerate(table.head):
        drawn.add_column(Text(one_line(name)), justify="right" if number else "left", no_wrap=not number)
    for row in table.rows:
        drawn.add_row(*(Text(one_line(cell_text(value))) for value in row))
    return drawn


def _cut(report: AttackReport) -> Text:
    return Text("\n".join(f"{report.attack}: {note}" for note in report.cut), "yellow")
