"""What ``gambeson harden`` says in a terminal: the models beside one another, and what became of robustness."""

from __future__ import annotations

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from gambeson.audit.report.figures import figure_value, interval_ends, one_line
from gambeson.core.measurement import Measurement
from gambeson.service.hardening_report import CLEAN, EXPOSURE, ROBUST, Candidate, HardenRun


def harden_summary(run: HardenRun) -> RenderableType:
    """The run in short, for a terminal of 80 columns or more; it says everything without colour too."""
    head = Text.assemble(("hardening ", "bold cyan"), (one_line(run.before.model.name), "bold"))
    head.append(f"\n{one_line(run.data.name)}, {run.threat}, seed {run.seed}", "dim")
    verdicts = [
        Text(f"{c.name}: {one_line(c.verdict)}", "green" if c.improved else "yellow") for c in run.candidates
    ]
    return Group(Text(), head, Text(), _table(run), Text(), *verdicts)


def _table(run: HardenRun) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for name in ("model", "clean accuracy", "robust accuracy", "membership AUC", "training"):
        table.add_column(name, justify="left" if name == "model" else "right")
    for candidate in (run.before, *run.candidates):
        cells = [_figure(candidate.figure(name)) for name in (CLEAN, ROBUST, EXPOSURE)]
        table.add_row(candidate.name, *cells, _training(candidate))
    return table


def _figure(figure: Measurement | None) -> str:
    if figure is None:
        return "–"
    ends = interval_ends(figure)
    return f"{figure_value(figure)} [{ends[0]}, {ends[1]}]" if ends else figure_value(figure)


def _training(candidate: Candidate) -> str:
    training = candidate.training
    return "–" if training is None else f"{training.steps:,} steps, {training.seconds:,.0f} s"
