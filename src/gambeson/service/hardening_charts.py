"""Pictures of a hardening: how each training went, and what the candidates trade against one another."""

from __future__ import annotations

from collections.abc import Sequence

from gambeson.core.finding import Curve, Evidence, Mark, Series, Table
from gambeson.core.stats import wilson
from gambeson.defenses.training.history import History
from gambeson.service.hardening_report import CLEAN, EXPOSURE, ROBUST, Candidate


def training_charts(history: History) -> Evidence:
    """Accuracy on the held-out rows against steps, with a mark where training went back."""
    if not history.looks:
        return Evidence()
    steps = tuple(float(look.step) for look in history.looks)
    lines = []
    for name, counts in (
        ("clean", [look.standing.right for look in history.looks]),
        ("under PGD", [look.standing.stand for look in history.looks]),
    ):
        n = history.looks[0].standing.rows
        bands = [wilson(count, n) for count in counts]
        lines.append(
            Series(
                name,
                steps,
                tuple(count / n for count in counts),
                tuple(band.low for band in bands),
                tuple(band.high for band in bands),
            )
        )
    title = f"Accuracy while training, on {history.looks[0].standing.rows} held-out training rows"
    marks = tuple(Mark(why, float(step)) for step, why in history.returns)
    return Evidence(
        curves=(Curve("training", title, "training steps", "accuracy", tuple(lines), marks=marks),)
    )


def compare_candidates(candidates: Sequence[Candidate]) -> Evidence:
    """Clean against robust accuracy, and a table that also knows leaks and cost."""
    measured = [c for c in candidates if c.figure(CLEAN) is not None and c.figure(ROBUST) is not None]
    curves = (_pareto(measured),) if measured else ()
    return Evidence(curves=curves, tables=(_table(candidates),))


def _pareto(candidates: Sequence[Candidate]) -> Curve:
    series = []
    for candidate in candidates:
        clean, robust = candidate.figure(CLEAN), candidate.figure(ROBUST)
        assert clean is not None
        assert robust is not None
        band = clean.interval
        series.append(
            Series(
                candidate.name,
                (robust.value,),
                (clean.value,),
                (band.low,) if band is not None else (),
                (band.high,) if band is not None else (),
            )
        )
    return Curve(
        "pareto",
        "Clean against robust accuracy: up and to the right is better",
        "robust accuracy",
        "clean accuracy",
        tuple(series),
    )


def _table(candidates: Sequence[Candidate]) -> Table:
    rows = []
    for c in candidates:
        values = [c.figure(name) for name in (CLEAN, ROBUST, EXPOSURE)]
        seconds = None if c.training is None else round(c.training.seconds, 1)
        steps = None if c.training is None else c.training.steps
        rows.append((c.name, *(None if m is None else round(m.value, 4) for m in values), steps, seconds))
    return Table(
        "candidates",
        "What each recipe gives and costs",
        ("model", "clean accuracy", "robust accuracy", "membership AUC", "steps", "seconds of training"),
        tuple(rows),
        "Intervals stand with each model below. A membership AUC of 0.5 is chance.",
    )
