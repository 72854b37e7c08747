"""Figures, facts and ROC curves of membership inference."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from gambeson.attacks.privacy.harness import (
    Candidates,
    Membership,
    accuracy_at_best_threshold,
    area,
    exposure,
)
from gambeson.attacks.privacy.pool import Pool
from gambeson.core.errors import InsufficientEvidence
from gambeson.core.finding import Curve, Series, Table
from gambeson.core.measurement import Measurement
from gambeson.core.reproduce import Seed
from gambeson.core.stats import difference, holm, mann_whitney, proportion, roc, wilson

EXPOSURE_FPR = 0.01
"""False-positive rate at which the exposure that decides is measured."""
_LOWEST_FPR = 0.001
_POINTS = 200
_EXPOSED = 20
_ALIKE = 0.55
"""AUC up to which members and non-members count as drawn from one distribution."""

_Figure = Callable[[Membership, str, float], Measurement]
"""``(found, name, level) -> figure``."""


@dataclass(frozen=True, slots=True)
class Figures:
    """What was measured.

    Attributes:
        area: AUC of the strongest attack.
        exposure: TPR at 1% FPR of the strongest attack, or ``None`` with fewer than 100 non-members.
        all: Every figure: the strongest attacks', the model's accuracies, then each attack's by name.
        missing: Which figures could not be measured, and why.
        strongest: Name of the attack with the highest AUC.
        blind: AUC of a classifier that sees the records but not the model.
    """

    area: Measurement
    exposure: Measurement | None
    all: tuple[Measurement, ...]
    missing: tuple[str, ...]
    strongest: str
    blind: Measurement


def measure(found: Sequence[Membership], candidates: Candidates, seed: Seed, blind: Measurement) -> Figures:
    """Every attack's figures, and those of the strongest.

    The strongest is chosen on the same records, figure by figure, as an attacker would. So that this does not
    flatter the attacker, its interval is at level 1 - 0.05 / k for k attacks: with 95% confidence all k
    intervals hold together (Bonferroni), the chosen one included.

    Args:
        found: What each attack found; at least one.
        candidates: The records.
        seed: Splits them where a threshold is tuned.
        blind: AUC of a classifier that sees the records but not the model.
    """
    kinds: dict[str, _Figure] = {
        "auc": lambda item, name, level: area(item, name=name, level=level),
        **{f"tpr_at_{fpr * 100:g}pct_fpr": _exposure_at(fpr) for fpr in (EXPOSURE_FPR, _LOWEST_FPR)},
        "balanced_accuracy": lambda item, name, level: accuracy_at_best_threshold(
            item, seed, name=name, level=level
        ),
    }
    strongest: dict[str, Measurement] = {}
    single: list[Measurement] = []
    missing: list[str] = []
    for name, figure in kinds.items():
        try:
            strongest[name] = _strongest(found, name, figure)
            single += [figure(item, f"{item.attack}.{name}", 0.95) for item in found]
        except InsufficientEvidence as error:
            missing.append(f"{name} was not measured: {error.message} Expected: {error.expected}")
    return Figures(
        strongest["auc"],
        strongest.get(f"tpr_at_{EXPOSURE_FPR * 100:g}pct_fpr"),
        (*strongest.values(), *_accuracies(candidates), blind, *single),
        tuple(missing),
        strongest["auc"].detail.partition(";")[0],
        blind,
    )


def warning(figures: Figures) -> str:
    """A sentence where members and non-members differ by themselves; else empty."""
    assert figures.blind.interval is not None
    if figures.blind.interval.low <= _ALIKE:
        return ""
    return (
        f" The two splits are not alike: a classifier that never sees the model tells their records apart with "
        f"AUC {figures.blind.value:.3f}, so part of what was found may be no leak."
    )


def most_exposed(found: Sequence[Membership], figures: Figures, pool: Pool, split: str) -> Table:
    """The training records that the strongest attack is surest of; numbers of rows, never their contents.

    Args:
        found: What each attack found.
        figures: Which attack is the strongest.
        pool: The records.
        split: Name of the training split.
    """
    item = next(item for item in found if item.attack == figures.strongest)
    top = np.argsort(-item.members, kind="stable")[:_EXPOSED]
    above = np.searchsorted(np.sort(item.nonmembers), item.members[top], side="left") / len(item.nonmembers)
    rows = tuple(
        (f"{split}[{pool.member_rows[i]}]", float(item.members[i]), float(share))
        for i, share in zip(top, above, strict=True)
    )
    return Table(
        kind="most_exposed",
        title=f"Most exposed training records, by {item.attack}",
        head=("record", "membership score", "share of non-members with a lower score"),
        rows=rows,
        note="Numbers count the rows of the training split from 0.",
    )


def _exposure_at(fpr: float) -> _Figure:
    return lambda item, name, level: exposure(item, fpr, name=name, level=level)


def _strongest(found: Sequence[Membership], name: str, figure: _Figure) -> Measurement:
    attacks = len(found)
    every = [figure(item, name, 1 - 0.05 / attacks) for item in found]
    best = max(range(attacks), key=lambda i: every[i].value)
    detail = "; ".join(part for part in (found[best].attack, every[best].detail) if part)
    interval = every[best].interval
    assert interval is not None
    if attacks > 1:
        method = f"{interval.method}, Bonferroni over {attacks} attacks"
        interval = replace(interval, method=method, level=0.95)
    return replace(every[best], detail=detail, interval=interval)


def _accuracies(candidates: Candidates) -> tuple[Measurement, ...]:
    right = candidates.target.argmax(axis=1) == candidates.labels
    inside, outside = (
        (int(right[chosen].sum()), int(chosen.sum())) for chosen in (candidates.truth, ~candidates.truth)
    )
    return (
        proportion("train_accuracy", *inside),
        proportion("test_accuracy", *outside, better="higher"),
        difference("accuracy_gap", inside, outside, better="lower"),
    )


def membership_facts(pool: Pool, found: Sequence[Membership], queries: int) -> tuple[tuple[str, str], ...]:
    """Counts and significance that a reader needs to trust the figures."""
    adjusted = holm([mann_whitney(item.members, item.nonmembers) for item in found])
    return (
        ("members scored", str(len(pool.member_rows))),
        ("non-members scored", str(len(pool.nonmember_rows))),
        ("non-members left out as training records", str(pool.removed)),
        ("queries spent in all", str(queries)),
        *(
            (f"{item.attack}: p-value that it does no better than chance", f"{_p_value(p)} (Holm)")
            for item, p in zip(found, adjusted, strict=True)
        ),
    )


def _p_value(p: float) -> str:
    return f"{p:.2g}" if p >= 1e-99 else "below 1e-99"


def roc_curves(found: Sequence[Membership]) -> Curve:
    """ROC of every attack on logarithmic axes, beside chance."""
    lowest = 1 / max(len(found[0].nonmembers), 1)
    grid = np.geomspace(lowest, 1, 50)
    chance = Series("chance", tuple(grid), tuple(grid), reference=True)
    return Curve(
        kind="roc",
        title="Membership inference: members recognised against non-members accused",
        x_label="false-positive rate",
        y_label="true-positive rate",
        series=(*(_line(item) for item in found), chance),
        x_log=True,
        y_log=True,
    )


def _line(found: Membership) -> Series:
    """At most ``_POINTS`` points, evenly spread over the logarithm of the false-positive rate."""
    curve, m = roc(found.members, found.nonmembers), len(found.members)
    # of the points that share a false-positive rate the last has the highest true-positive rate
    last = np.append(curve.fpr[1:] > curve.fpr[:-1], True)
    shown = last & (curve.fpr > 0) & (curve.tpr > 0)
    fpr, tpr = curve.fpr[shown], curve.tpr[shown]
    spread = np.searchsorted(fpr, np.geomspace(fpr[0], 1, _POINTS))
    picked = np.unique(np.minimum(spread, len(fpr) - 1))
    bands = [wilson(round(value * m), m) for value in tpr[picked]]
    return Series(
        found.attack,
        tuple(float(v) for v in fpr[picked]),
        tuple(float(v) for v in tpr[picked]),
        tuple(band.low for band in bands),
        tuple(band.high for band in bands),
    )
