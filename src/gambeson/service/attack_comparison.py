"""Several attacks on the same samples: who broke what, at which cost, and what they leave together."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from gambeson.attacks.robustness import Robustness
from gambeson.audit.checks.evasion_exhibits import accuracy_by_distance, bounds_by_passes
from gambeson.core.finding import Evidence, Table
from gambeson.core.measurement import Measurement
from gambeson.core.reproduce import Seed
from gambeson.core.stats import proportion
from gambeson.service.attack_commands import AttackCommand
from gambeson.service.attack_evidence import median_figure

_Row = tuple[str | int | float | None, ...]
_TIE = 1e-3
"""Distances that differ by less, relatively, are as near as each other."""


def compare(command: AttackCommand, found: Sequence[Robustness]) -> Table:
    """One row for each attack, the strongest first.

    Args:
        command: Its ``attacks`` name the rows.
        found: What each left, on the same samples.
    """
    n, attacked = len(found[0].samples), len(found[0].attacked)
    head, rows = _by_distance(command, found) if command.nearest else _by_success(command, found)
    return Table(
        kind="attacks",
        title=f"Attacks compared on the same {n} inputs, {attacked} of them classified correctly",
        head=head,
        rows=tuple(sorted(rows, key=lambda row: np.inf if row[1] is None else row[1])),
        note="Strongest first. A pass is one model answer on one input, with or without its gradient.",
    )


def _by_success(command: AttackCommand, found: Sequence[Robustness]) -> tuple[tuple[str, ...], list[_Row]]:
    broken = np.array([result.outcome.fallen for result in found])
    alone = broken.sum(0) == 1
    rows: list[_Row] = []
    for name, result, fell in zip(command.attacks, found, broken, strict=True):
        spent = result.outcome.queries
        middle = float(np.median(spent[fell])) if fell.any() else None
        left = round(100 * result.robust_accuracy.value, 2)
        rows.append((name, left, int(fell.sum()), int((fell & alone).sum()), middle, _each(spent)))
    return (
        "attack",
        "% robust",
        "broke",
        "only this one broke",
        "median passes to break",
        "passes each",
    ), rows


def _by_distance(command: AttackCommand, found: Sequence[Robustness]) -> tuple[tuple[str, ...], list[_Row]]:
    best = np.min([result.outcome.distance for result in found], axis=0)
    rows: list[_Row] = []
    for name, result in zip(command.attacks, found, strict=True):
        fell, distance = result.outcome.fallen, result.outcome.distance
        middle = float(np.median(distance[fell])) if fell.any() else None
        first = int((fell & (distance <= best * (1 + _TIE))).sum())
        rows.append((name, middle, int(fell.sum()), first, _each(result.outcome.queries)))
    return (
        "attack",
        f"median {command.threat.norm} distance",
        "broke",
        "found the nearest of all",
        "passes each",
    ), rows


def _each(spent: np.ndarray) -> float:
    return float(spent.sum() / max(len(spent), 1))


def together(command: AttackCommand, found: Sequence[Robustness]) -> tuple[Measurement, ...]:
    """What an attacker gets who runs them all and keeps the best on each input."""
    first, any_of = found[0], np.any([result.outcome.fallen for result in found], axis=0)
    if not command.nearest:
        standing = int((~any_of).sum())
        robust = proportion(
            "robust_accuracy", standing, len(first.samples), better="higher", detail="all attacks together"
        )
        return (first.clean_accuracy, robust)
    nearest = np.min([result.outcome.distance for result in found], axis=0)[any_of]
    if not len(nearest):
        return (first.clean_accuracy,)
    seed = Seed(command.seed).child("bootstrap")
    return (
        first.clean_accuracy,
        median_figure("median_distance", nearest, str(command.threat.norm), seed),
    )


def overlaid(command: AttackCommand, found: Sequence[Robustness]) -> Evidence:
    """All attacks in one chart."""
    named = list(zip(command.attacks, found, strict=True))
    norm = str(command.threat.norm)
    curve = accuracy_by_distance(named, norm) if command.nearest else bounds_by_passes(named)
    return Evidence(samples=len(found[0].samples), curves=(curve,) if curve is not None else ())
