"""Membership inference: every attack of ours and of the peers, on overfitted and on regularised targets."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import numpy as np
from scipy import stats

from benchmarks.membership_peers import (
    art_black_box,
    privacy_meter,
    privacy_meter_rmia,
    train_like_privacy_meter,
)
from benchmarks.membership_worlds import KINDS, Kind, World, make_world
from gambeson.adapters.executor_local import LocalProcesses
from gambeson.attacks.privacy.base import privacy
from gambeson.attacks.privacy.features import told_apart_without_the_model
from gambeson.attacks.privacy.harness import Membership, area, exposure, run_inference
from gambeson.attacks.privacy.label_only import stability
from gambeson.attacks.privacy.lira import LiRA
from gambeson.attacks.privacy.rmia import RMIA
from gambeson.core.errors import InsufficientEvidence
from gambeson.core.reproduce import Seed
from gambeson.models.passes import Passes

REFERENCES = (2, 4, 8)
FIRST = 10
"""Number of the first target: RMIA's temperature was chosen on targets 0 to 5."""
_ART_TARGETS = 3
_LABEL_QUERIES = 64

Row = tuple[str, int]
"""Name of an attack, and how many reference models it had."""


@dataclass
class Figures:
    """AUC, TPR at 1% and at 0.1% FPR of one attack, and its AUC for an unrelated membership, target by target."""

    rows: list[tuple[float, float, float, float]] = field(default_factory=list)

    def cells(self) -> str:
        """Means with the half width of their 95% t-interval over the targets."""
        columns = np.array(self.rows).T
        half = stats.t.ppf(0.975, len(self.rows) - 1) * columns.std(axis=1, ddof=1) / len(self.rows) ** 0.5
        means = columns.mean(axis=1)
        return " | ".join(
            "–" if np.isnan(m) else f"{m:.3f} ± {h:.3f}" for m, h in zip(means, half, strict=True)
        )


def membership_tables(*, quick: bool) -> list[str]:
    """Markdown tables, one for each kind of target; none without the data folder."""
    return [text for kind in KINDS if (text := _table(kind, 2 if quick else kind.targets)) is not None]


def _table(kind: Kind, targets: int) -> str | None:
    found: dict[Row, Figures] = {}
    accuracy, blind = [], []
    for number in range(FIRST, FIRST + targets):
        world = make_world(kind, number, max(REFERENCES))
        if world is None:
            return None
        right = world.answers.argmax(1) == world.y
        accuracy.append((right[world.truth].mean(), right[~world.truth].mean()))
        features = world.candidates(0).features
        blind.append(told_apart_without_the_model(world.pool, features, Seed(number)).value)
        for row, figures in _figures(world, number - FIRST < _ART_TARGETS):
            found.setdefault(row, Figures()).rows.append(figures)
        print(f"{kind.name}, target {number}", _latest(found), flush=True)
    inside, outside = np.mean(accuracy, axis=0)
    lines = [
        f"## Membership inference: {kind.name}",
        "",
        f"{kind.records} records, one random half of them the members; accuracy {inside:.3f} on members, "
        f"{outside:.3f} on others. Reference models on random halves of the records. Means over the targets, which "
        "differ in records, members and weights, and the half width of their 95% t-interval. *Unrelated*: AUC of the "
        "same scores for a membership drawn anew, which no attack can know. A classifier that sees the records and not "
        f"the model tells members from others with AUC {np.mean(blind):.3f}. ART's black-box attack is told half of "
        "the membership and measured on the other half; Privacy Meter's RMIA gets the same reference models.",
        "",
        "| attack | reference models | targets | AUC | TPR at 1% FPR | TPR at 0.1% FPR | unrelated |",
        "|---|---|---|---|---|---|---|",
        *(
            f"| {name} | {references or '–'} | {len(figures.rows)} | {figures.cells()} |"
            for (name, references), figures in sorted(found.items(), key=lambda item: item[0][1])
        ),
    ]
    return "\n".join(lines) + "\n"


def _latest(found: dict[Row, Figures]) -> dict[str, list[float]]:
    return {
        f"{name} {references}": np.round(figures.rows[-1], 3).tolist()
        for (name, references), figures in found.items()
    }


def _figures(world: World, with_art: bool) -> Iterator[tuple[Row, tuple[float, float, float, float]]]:
    """Every attack on one target."""
    for row, run in _ours(world):
        yield row, (*_rates(run(world.truth)), area(run(_unrelated(world))).value)
    for name, scores in _label_only(world).items():
        truth, unrelated = world.truth, _unrelated(world)
        item, other = (Membership(name, scores[told], scores[~told]) for told in (truth, unrelated))
        yield (name, 0), (*_rates(item), area(other).value)
    nothing = float("nan")
    if with_art:
        for kind in ("rf", "gb", "nn"):
            yield (f"ART black-box ({kind})", 0), (*_rates(art_black_box(world, kind)), nothing)
    folder = privacy_meter()
    for references in REFERENCES if folder is not None else ():
        item = privacy_meter_rmia(world, folder, references)
        yield ("Privacy Meter RMIA", references), (*_rates(item), nothing)


def _ours(world: World) -> Iterator[tuple[Row, Callable[[np.ndarray], Membership]]]:
    for references in (0, *REFERENCES):
        for entry in privacy:
            needed = entry.facts.least_references
            if needed > references or (needed == 0) != (references == 0):
                continue
            yield (entry.name, references), _runner(world, references, entry.plugin(), entry.name)
        if references:
            yield ("lira, offline", references), _runner(world, references, LiRA(offline=True), "lira")
            yield ("rmia, offline", references), _runner(world, references, RMIA(offline=True), "rmia")


def _runner(world: World, references: int, attack: object, name: str) -> Callable[[np.ndarray], Membership]:
    needed = privacy[name].facts.needs_outsiders
    return lambda truth: run_inference(
        attack, name, world.candidates(references, truth), Seed(world.number), outsiders=needed
    )


def _label_only(world: World) -> dict[str, np.ndarray]:
    asked = stability(Passes(world.target), world.pool, _LABEL_QUERIES, Seed(world.number), lambda rows: None)
    return {
        "gap (labels)": asked.gap(world.y),
        f"label_noise ({_LABEL_QUERIES} labels)": asked.noise(world.y),
    }


def _unrelated(world: World) -> np.ndarray:
    return np.random.default_rng(world.number).permutation(world.truth)


def _rates(item: Membership) -> tuple[float, float, float]:
    return area(item).value, _rate(item, 0.01), _rate(item, 0.001)


def _rate(item: Membership, fpr: float) -> float:
    """TPR at this FPR; NaN where there are too few non-members to show it."""
    try:
        return exposure(item, fpr).value
    except InsufficientEvidence:
        return float("nan")


def membership_cost_table(*, quick: bool) -> str | None:
    """What reference models cost: wall seconds of training and attack, ours in two processes, Privacy Meter's run."""
    kind = KINDS[0]
    world = make_world(kind, FIRST, 0)
    if world is None:
        return None
    rows = []
    for references, processes in ((4, 1), (4, 2), (8, 1), (8, 2)):
        begun = time.perf_counter()
        trained = make_world(kind, FIRST, references, LocalProcesses(processes, worth=0))
        own = time.perf_counter()
        item = _runner(trained, references, privacy["learnt"].plugin(), "learnt")(world.truth)
        rows.append((f"learnt, {processes} processes", references, _rates(item), time.perf_counter() - begun))
        print(rows[-1], "attack alone", time.perf_counter() - own, flush=True)
    folder = privacy_meter()
    if folder is not None:
        models = 4 if quick else 16
        item, taken = train_like_privacy_meter(world, folder, models, kind.epochs)
        rows.append(("Privacy Meter, its own models", models, _rates(item), taken))
    lines = [
        "## Cost of reference models: Location-30, overfitted",
        "",
        "Wall seconds from the records to the membership scores, the target's own training included; starting the "
        "processes is counted. One target.",
        "",
        "| attack | models | AUC | TPR at 1% FPR | TPR at 0.1% FPR | seconds |",
        "|---|---|---|---|---|---|",
        *(f"| {n} | {k} | {a:.3f} | {b:.3f} | {c:.3f} | {s:.1f} |" for n, k, (a, b, c), s in rows),
    ]
    return "\n".join(lines) + "\n"
