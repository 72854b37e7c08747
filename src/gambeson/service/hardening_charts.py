"""Pictures of a hardening: how each training went, and what the candidates trade against one another."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from gambeson.core.finding import Curve, Evidence, Mark, Series, Table
from gambeson.core.stats import wilson
from gambeson.defenses.training.history import History
from gambeson.service.hardening_report import CLEAN, EXPOSURE, ROBUST, Candidate


def training_charts(history: History) -> Evidence:
    """Accuracy on the held-out rows against steps, with a mark where training went back."""
    if not history.looks:
        return Evidence()
    counts = {
        "clean": [look.standing.right for look in history.looks],
        "under PGD": [look.standing.stand for look in history.looks],
    }
    steps, n = [float(look.step) for look in history.looks], history.looks[0].standing.rows
    marks = tuple(Mark(why, float(step)) for step, why in history.returns)
    return accuracy_while_training(steps, counts, n, "training steps", marks)


def accuracy_while_training(
    at: Sequence[float],
    counts: Mapping[str, Sequence[int]],
    n: int,
    label: str,
    marks: tuple[Mark, ...] = (),
) -> Evidence:
    """Curves of counts of n held-out rows, with intervals.

    Args:
        at: Steps or rounds.
        counts: For each line its name and one count for each of ``at``.
        n: Held-out rows.
        label: What ``at`` counts.
        marks: Places to point out.
    """
    lines = []
    for name, values in counts.items():
        bands = [wilson(count, n) for count in values]
        shares = tuple(count / n for count in values)
        low, high = tuple(band.low for band in bands), tuple(band.high for band in bands)
        lines.append(Series(name, tuple(at), shares, low, high))
    title = f"Accuracy while training, on {n} held-out training rows"
    return Evidence(curves=(Curve("training", title, label, "accuracy", tuple(lines), marks=marks),))


def transfer_table(shares: Sequence[Sequence[float | None]]) -> Table:
    """How often an attack on one member of an ensemble fools another one.

    Args:
        shares: Line i, column j: of an attack on member i on member j; ``None`` where nothing was tried.
    """
    rows = [
        (f"attack on member {i + 1}", *(None if share is None else round(share, 3) for share in line))
        for i, line in enumerate(shares)
    ]
    return Table(
        "transfer",
        "Which share of rows an attack on one member takes from each",
        ("", *(f"member {j + 1}" for j in range(len(shares)))),
        tuple(rows),
        "PGD on held-out training rows that the attacked member falls for and the other one gets right as they are.",
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
