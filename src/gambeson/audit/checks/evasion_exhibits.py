"""Exhibits of a robustness measurement: the bound against its cost, accuracy by class, stages compared."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from gambeson.attacks.anytime import anytime_bound
from gambeson.attacks.ensemble import StageRecord
from gambeson.attacks.robustness import Robustness
from gambeson.core.finding import Bars, BarSeries, Curve, Histogram, Mark, Series, Table
from gambeson.core.measurement import Interval, Measurement
from gambeson.core.stats import proportion

_POINTS = 120
_FEWEST = 3
"""Points that make a curve."""
_CLASSES = 24
_BINS = 24
_BOUND = "robust accuracy (upper bound)"


def accuracy_by_passes(result: Robustness) -> Curve | None:
    """The any-time bound: robust accuracy against model passes per attacked sample, the end of each stage marked.

    ``None`` where nothing was spent, or all at once.
    """
    bound, n = anytime_bound(result), len(result.samples)
    if len(bound.passes) < _FEWEST:
        return None
    kept = _thinned(len(bound.passes))
    marks = bound.stages[:-1] if len(bound.stages) > 1 else ()
    return Curve(
        kind="robust_accuracy_by_passes",
        title=f"Any-time bound: robust accuracy against passes spent, n={n}",
        x_label="model passes per attacked input, all stages together",
        y_label="accuracy",
        series=(
            _staircase(_BOUND, bound.passes[kept], bound.standing[kept], n),
            _clean(result, bound.spent),
        ),
        x_log=True,
        marks=tuple(Mark(label, end) for label, end in marks),
        steps=True,
    )


def accuracy_by_queries(result: Robustness) -> Curve | None:
    """Robust accuracy against the queries that an attacker may spend on each input; ``None`` where none was spent.

    One attack planned for all its queries was run: an attacker who plans for fewer may do better with them.
    """
    found, n = result.outcome, len(result.samples)
    most = int(found.queries.max(initial=0))
    if most == 0:
        return None
    fell = np.sort(found.queries[found.fallen])
    at = np.unique(np.concatenate([[0], fell, [most]]))
    at = at[_thinned(len(at))]
    standing = len(result.attacked) - np.searchsorted(fell, at, side="right")
    return Curve(
        kind="robust_accuracy_by_queries",
        title=f"Robust accuracy against queries per input, n={n}",
        x_label="queries per input",
        y_label="accuracy",
        series=(_staircase(_BOUND, at, standing, n), _clean(result, most)),
        x_log=True,
        steps=True,
    )


def _thinned(count: int) -> np.ndarray:
    """Indices of at most ``_POINTS`` of so many points, the first and the last among them."""
    return np.unique(np.linspace(0, count - 1, min(count, _POINTS)).round().astype(int))


def _staircase(name: str, x: np.ndarray, standing: np.ndarray, n: int) -> Series:
    points = [proportion("robust_accuracy", int(k), n) for k in standing]
    ends = [_interval(p) for p in points]
    return Series(
        name,
        tuple(float(f"{v:.6g}") for v in x),
        tuple(p.value for p in points),
        tuple(e.low for e in ends),
        tuple(e.high for e in ends),
    )


def _clean(result: Robustness, until: float) -> Series:
    clean = result.clean_accuracy.value
    return Series("clean accuracy", (0.0, float(f"{until:.6g}")), (clean, clean), reference=True)


def accuracy_by_class(result: Robustness, classes: tuple[str, ...]) -> Bars:
    """Clean beside robust accuracy for each class that has samples, with n and 95% interval.

    Of more than 24 classes, the 24 on which least is left.
    """
    y, standing = result.samples.y.numpy(), np.zeros(len(result.samples), bool)
    standing[result.attacked] = ~result.outcome.fallen
    present = [c for c in range(len(classes)) if (y == c).any()]
    shown = present
    if len(present) > _CLASSES:
        weakest = sorted(present, key=lambda c: (standing[y == c].mean(), c))[:_CLASSES]
        shown = sorted(weakest)
    which = f"the {_CLASSES} weakest of {len(present)} classes" if len(present) > _CLASSES else "by class"
    return Bars(
        kind="accuracy_by_class",
        title=f"Clean and robust accuracy, {which}",
        x_label="true class",
        y_label="accuracy",
        labels=tuple(classes[c] for c in shown),
        series=tuple(
            _class_bars(name, [flags[y == c] for c in shown])
            for name, flags in (("clean", result.correct), ("robust (upper bound)", standing))
        ),
    )


def _class_bars(name: str, groups: list[np.ndarray]) -> BarSeries:
    figures = [proportion(name, int(group.sum()), len(group)) for group in groups]
    ends = [_interval(f) for f in figures]
    return BarSeries(
        name,
        values=tuple(f.value for f in figures),
        low=tuple(e.low for e in ends),
        high=tuple(e.high for e in ends),
        n=tuple(f.n for f in figures),
    )


def _interval(figure: Measurement) -> Interval:
    assert figure.interval is not None
    return figure.interval


def stages_compared(result: Robustness) -> Table | None:
    """Which stage broke what, at which cost, and what was left after it; ``None`` for a single stage."""
    records = result.outcome.records
    if len(records) < 2:
        return None
    n, standing = len(result.samples), len(result.attacked)
    total = max(sum(record.queries for record in records), 1)
    rows = []
    for record in records:
        standing -= record.fell
        rows.append((*_stage_cells(record, total), _percent(standing / n)))
    return Table(
        kind="stages",
        title="Stages: who broke what, at which cost",
        head=(
            "stage",
            "tried",
            "broke",
            "passes each",
            "passes in all",
            "% of passes",
            "% robust after it",
        ),
        rows=tuple(rows),
        note=(
            "Each stage gets only what the ones before it left, so that no input is broken twice. A pass is one "
            "model answer on one input, with or without its gradient."
        ),
    )


def _stage_cells(record: StageRecord, total: int) -> tuple[str | int | float | None, ...]:
    per_input = record.queries / record.tried if record.tried else None
    return (
        record.label,
        record.tried,
        record.fell,
        per_input,
        record.queries,
        _percent(record.queries / total),
    )


def _percent(share: float) -> float:
    return round(100 * share, 2)


def distance_histogram(result: Robustness, norm: str) -> Histogram | None:
    """How far the adversarial inputs that were found are from their originals; ``None`` where none was found."""
    distances = np.sort(result.outcome.distance[result.outcome.fallen])
    if not len(distances):
        return None
    whole = norm == "l0"
    low, high = (0.0, float(distances[-1]))
    bins = min(_BINS, max(int(high), 1)) if whole else _BINS
    edges = np.linspace(low, high if high > 0 else 1.0, bins + 1)
    counts, _ = np.histogram(distances, edges)
    return Histogram(
        kind="distance",
        title=f"Distance of the adversarial inputs found, n={len(distances)}",
        x_label=f"{norm} distance",
        y_label="inputs",
        edges=tuple(float(f"{v:.6g}") for v in edges),
        counts=tuple(int(c) for c in counts),
        marks=(Mark("median", float(f"{np.median(distances):.6g}")),),
    )


def broken_within(radii: list[float], fallen: list[int], attacked: int, norm: str) -> Bars:
    """How many inputs fall first between one radius and the next: what a curve knows of the nearest distances.

    Args:
        radii: Ascending, the first 0.
        fallen: How many of the attacked inputs fall within each.
        attacked: How many there are.
        norm: Of the radii.
    """
    labels = [f"≤ {high:.3g}" for high in radii[1:]]
    counts = [later - earlier for earlier, later in pairwise(fallen)]
    return Bars(
        kind="broken_within",
        title=f"Smallest radius within which each input falls, n={attacked}",
        x_label=f"{norm} radius, and not within the one before",
        y_label="inputs",
        labels=(*labels, f"> {radii[-1]:.3g}"),
        series=(BarSeries("inputs", (*map(float, counts), float(attacked - fallen[-1]))),),
    )


def bounds_by_passes(results: Sequence[tuple[str, Robustness]]) -> Curve | None:
    """The any-time bounds of several attacks on the same samples, one line each; ``None`` where none spent a pass.

    Args:
        results: Name and measurement of each.
    """
    bounds = [(name, anytime_bound(result), len(result.samples)) for name, result in results]
    widest = max((bound.spent for _, bound, _ in bounds), default=0.0)
    if widest == 0:
        return None
    lines = []
    for name, bound, n in bounds:
        kept = _thinned(len(bound.passes))
        lines.append(
            Series(
                name,
                tuple(float(f"{v:.6g}") for v in bound.passes[kept]),
                tuple(float(k) / n for k in bound.standing[kept]),
            )
        )
    return Curve(
        kind="robust_accuracy_by_passes",
        title=f"Robust accuracy against passes spent, n={bounds[0][2]}",
        x_label="model passes per attacked input",
        y_label="accuracy (upper bound)",
        series=(*lines, _clean(results[0][1], widest)),
        x_log=True,
        steps=True,
    )


def accuracy_by_distance(results: Sequence[tuple[str, Robustness]], norm: str) -> Curve | None:
    """Robust accuracy against eps from the nearest adversarial inputs found; ``None`` where none was found.

    Args:
        results: Name and measurement of each attack, on the same samples, with an infinite radius.
        norm: Of the distances.
    """
    found = [np.sort(r.outcome.distance[r.outcome.fallen]) for _, r in results]
    if not any(len(distances) for distances in found):
        return None
    widest = float(max(distances[-1] for distances in found if len(distances)))
    lines = []
    for (name, result), distances in zip(results, found, strict=True):
        at = np.unique(np.concatenate([[0.0], distances, [widest]]))
        at = at[_thinned(len(at))]
        # An input whose nearest adversarial version lies at distance d falls within every eps of at least d.
        standing = len(result.attacked) - np.searchsorted(distances, at, side="right")
        lines.append(_staircase(name, at, standing, len(result.samples)))
    if len(lines) > 1:
        lines = [Series(line.name, line.x, line.y) for line in lines]
    return Curve(
        kind="robust_accuracy_by_eps",
        title=f"Robust accuracy against {norm} radius, n={len(results[0][1].samples)}",
        x_label=f"{norm} eps",
        y_label="accuracy (upper bound)",
        series=(*lines, _clean(results[0][1], widest)),
        steps=True,
    )


def distance_by_class(result: Robustness, classes: tuple[str, ...], norm: str) -> Bars | None:
    """Median distance of the adversarial inputs found for each class; ``None`` where none was found.

    Of more than 24 classes, the 24 that fall nearest.
    """
    hit, y = result.outcome.fallen, result.samples.y.numpy()[result.attacked]
    groups = {c: result.outcome.distance[hit & (y == c)] for c in range(len(classes))}
    middle = {c: float(np.median(found)) for c, found in groups.items() if len(found)}
    if not middle:
        return None
    shown = sorted(sorted(middle, key=lambda c: middle[c])[:_CLASSES])
    return Bars(
        kind="distance_by_class",
        title=f"Median distance of the adversarial inputs found, by class (n={int(hit.sum())})",
        x_label="true class",
        y_label=f"median {norm} distance",
        labels=tuple(classes[c] for c in shown),
        series=(
            BarSeries(
                "median distance",
                tuple(float(f"{middle[c]:.6g}") for c in shown),
                n=tuple(len(groups[c]) for c in shown),
            ),
        ),
    )
