"""Figures and table of attribute inference."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from gambeson.core.finding import Table
from gambeson.core.measurement import Interval, Measurement
from gambeson.core.stats import paired_difference, proportion


@dataclass(frozen=True, slots=True)
class Guessed:
    """Which guesses were right: (n,) bool by the name of what guessed, without the model and with it."""

    baselines: dict[str, np.ndarray]
    attacks: dict[str, np.ndarray]


@dataclass(frozen=True, slots=True)
class Leak:
    """What is given away of one attribute.

    Attributes:
        attribute: Its name.
        knows_label: Whether the attacker knew the label.
        marginals: Accuracy of guessing by frequency alone.
        baseline: Accuracy of the best guess without the model.
        attacked: Accuracy of the best guess with it.
        advantage: Their difference on the same rows.
        memorised: How much larger that is on training records than on others; ``None`` where they are not known.
        attack: Which attack it is.
        attacks: All that were tried.
    """

    attribute: str
    knows_label: bool
    marginals: Measurement
    baseline: Measurement
    attacked: Measurement
    advantage: Measurement
    memorised: Measurement | None
    attack: str
    attacks: tuple[str, ...]


def leak_of(attribute: str, guessed: Guessed, inside: np.ndarray, *, knows_label: bool, tests: int) -> Leak:
    """Figures of one attribute, on training records where they are known, else on the others.

    The best guess without the model is chosen on the rows it is measured on, which makes the advantage smaller. The
    best attack is, too, which makes it larger: for that, and for all attributes looked at, the intervals are at level
    1 - 0.05 / (attacks × tests), so that they all hold together (Bonferroni).

    Args:
        attribute: Its name.
        guessed: Which guesses were right.
        inside: (n,) bool, which rows are training records.
        knows_label: Whether the attacker knew the label.
        tests: Attributes, each with and without the label.
    """
    asked = inside if inside.any() else ~inside
    best = max(guessed.baselines, key=lambda name: guessed.baselines[name][asked].sum())
    attack = max(guessed.attacks, key=lambda name: guessed.attacks[name][asked].sum())
    one, other = guessed.attacks[attack], guessed.baselines[best]
    level = 1 - 0.05 / (tests * len(guessed.attacks))
    suffix = f"{attribute}.with_label" if knows_label else attribute
    advantage = paired_difference(
        f"{suffix}.advantage", one[asked], other[asked], better="lower", level=level
    )
    memorised = None
    if inside.any():
        outside = paired_difference("", one[~inside], other[~inside], level=level)
        memorised = _together(_gap(f"{suffix}.memorised", advantage, outside), len(guessed.attacks) * tests)
    return Leak(
        attribute,
        knows_label,
        _share(f"{suffix}.accuracy_by_marginals", guessed.baselines["marginals"][asked]),
        replace(_share(f"{suffix}.accuracy_without_model", other[asked]), detail=best),
        replace(_share(f"{suffix}.accuracy_with_model", one[asked]), detail=attack, better="lower"),
        replace(_together(advantage, len(guessed.attacks) * tests), detail=f"{attack} over {best}"),
        memorised,
        attack,
        tuple(guessed.attacks),
    )


def measurements(leaks: Sequence[Leak]) -> tuple[Measurement, ...]:
    """The largest figures under the names that gates use, then every attribute's."""
    worst = max((leak.advantage for leak in leaks), key=lambda m: m.value)
    found = [replace(worst, name="advantage", detail=f"{worst.name}: {worst.detail}")]
    kept = [leak.memorised for leak in leaks if leak.memorised is not None]
    if kept:
        most = max(kept, key=lambda m: m.value)
        found.append(replace(most, name="memorised", detail=most.name))
    for leak in leaks:
        found += [leak.advantage, leak.attacked, leak.baseline, leak.marginals]
        found += [leak.memorised] if leak.memorised is not None else []
    return tuple(found)


def leak_table(leaks: Sequence[Leak]) -> Table:
    """A row for each attribute, with and without the label."""
    rows = [
        (
            leak.attribute,
            "yes" if leak.knows_label else "no",
            round(leak.marginals.value, 4),
            round(leak.baseline.value, 4),
            round(leak.attacked.value, 4),
            leak.attack,
            _with_interval(leak.advantage),
            None if leak.memorised is None else _with_interval(leak.memorised),
        )
        for leak in leaks
    ]
    return Table(
        kind="attributes",
        title="Guessing a feature from all others, without the model and with it",
        head=("feature", "label known", "by frequency", "best without model", "best with model", "attack",
              "advantage", "of it memorised"),
        rows=tuple(rows),
        note="Accuracies; the intervals hold together with 95% confidence.",
    )  # fmt: skip


def _gap(name: str, one: Measurement, other: Measurement) -> Measurement:
    """Difference of two independent differences; the interval combines theirs (MOVER, Zou & Donner 2008)."""
    (a, b), value = (_ends(m) for m in (one, other)), one.value - other.value
    low = value - math.hypot(one.value - a.low, b.high - other.value)
    high = value + math.hypot(a.high - one.value, other.value - b.low)
    return Measurement(
        name, value, "fraction", one.n + other.n, Interval(low, high, "mover", a.level), "lower"
    )


def _together(figure: Measurement, tests: int) -> Measurement:
    """The same, with an interval that says that it holds at 95% together with all others."""
    band = _ends(figure)
    return replace(
        figure, interval=Interval(band.low, band.high, f"{band.method}, Bonferroni over {tests}", 0.95)
    )


def _ends(figure: Measurement) -> Interval:
    assert figure.interval is not None
    return figure.interval


def _share(name: str, right: np.ndarray) -> Measurement:
    return proportion(name, int(right.sum()), len(right))


def _with_interval(figure: Measurement) -> str:
    band = _ends(figure)
    return f"{figure.value:+.3f} [{band.low:+.3f}, {band.high:+.3f}]"
