"""Figures and exhibits of model inversion."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from gambeson.attacks.privacy.inversion.harness import Plan, Reconstructions
from gambeson.attacks.privacy.inversion.judge import Judge
from gambeson.attacks.privacy.inversion.likeness import likeness, nearer_to_training
from gambeson.attacks.randomness import SampleRandom
from gambeson.audit.checks.encoded_pictures import can_encode, encode_png
from gambeson.audit.checks.inversion_ground import Ground
from gambeson.core.finding import PictureGrid, Table
from gambeson.core.measurement import Measurement
from gambeson.core.reproduce import Seed
from gambeson.core.stats import bootstrap, proportion

_OWN = 30
"""Of the attacker's own inputs, judged for each wanted class."""
_TOP = 5
_ROWS, _COLUMNS = 10, 4
_SIDE = 64


@dataclass(frozen=True, slots=True)
class Judged:
    """One attack's reconstructions and what the judge says.

    Attributes:
        found: The reconstructions.
        rank: (m,) how many classes the judge finds likelier than the wanted one: 0 is recognised.
        like: (m,) likeness to the mean of the wanted class.
    """

    found: Reconstructions
    rank: np.ndarray
    like: np.ndarray

    def top(self, count: int, name: str, level: float = 0.95) -> Measurement:
        """Share whose wanted class is among the judge's ``count`` likeliest."""
        hits = int((self.rank < count).sum())
        return proportion(name, hits, len(self.rank), better="lower", level=level)


@dataclass(frozen=True, slots=True)
class Figures:
    """What was measured.

    Attributes:
        strongest: The attack with the most recognised reconstructions.
        top1: Its share, with an interval that allows for having chosen it.
        baseline: Share of the attacker's own inputs that the judge takes for the wanted class.
        records: Share of classes whose reconstructions lie mostly nearer to a training record than to a fresh one.
        judge: The judge's accuracy on inputs that it never saw.
        all: Every figure.
    """

    strongest: Judged
    top1: Measurement
    baseline: Measurement
    records: Measurement | None
    judge: Measurement
    all: tuple[Measurement, ...]


def judge_accuracy(judge: Judge, ground: Ground) -> Measurement:
    """On rows that it was not trained on."""
    right = judge.scores(ground.held.x).argmax(1) == ground.held.y
    return proportion("judge_accuracy", int(right.sum()), len(right))


def judged(found: Reconstructions, judge: Judge, ground: Ground) -> Judged:
    """Ask the judge, and compare with the class means."""
    scores = judge.scores(found.x)
    wanted = scores.gather(1, found.classes[:, None])
    means = torch.stack([ground.reference.of(int(c)).mean(0) for c in found.classes])
    return Judged(
        found,
        (scores > wanted).sum(1).numpy(),
        likeness(found.x, means, ground.space).numpy(),
    )


def measure(
    items: Sequence[Judged], judge: Judge, accuracy: Measurement, ground: Ground, plan: Plan, seed: Seed
) -> Figures:
    """Every attack's figures, and those of the strongest.

    The strongest is chosen on the same reconstructions, so its interval is at level 1 - 0.05 / k for k attacks
    (Bonferroni). Reconstructions of one class resemble each other; the interval treats them as independent.

    Args:
        items: One for each attack that was run; at least one.
        judge: The judge.
        accuracy: Its accuracy.
        ground: The data.
        plan: Of the reconstruction.
        seed: Draws the baseline's inputs and the records compared with.
    """
    best = max(items, key=lambda item: (item.rank < 1).sum())
    own = _own_inputs(judge, ground, plan, seed.child("own"))
    records = _records(best.found, ground, seed.child("records"))
    top1, baseline = _chosen(best, len(items)), own.top(1, "top1_without_model")
    figures = [top1, replace(baseline, better="neither"), accuracy]
    if judge.scores(ground.held.x[:1]).shape[1] > _TOP:
        figures += [best.top(_TOP, "top5"), replace(own.top(_TOP, "top5_without_model"), better="neither")]
    figures += [
        _mean("likeness_to_class_mean", best.like, seed),
        replace(_mean("likeness_without_model", own.like, seed), better="neither"),
    ]
    figures += [records] if records is not None else []
    figures += [item.top(1, f"{item.found.attack}.top1") for item in items]
    return Figures(best, top1, baseline, records, accuracy, tuple(figures))


def _chosen(best: Judged, attacks: int) -> Measurement:
    figure = best.top(1, "top1", 1 - 0.05 / attacks)
    assert figure.interval is not None
    method = figure.interval.method + (f", Bonferroni over {attacks} attacks" if attacks > 1 else "")
    return replace(
        figure, detail=best.found.attack, interval=replace(figure.interval, method=method, level=0.95)
    )


def _own_inputs(judge: Judge, ground: Ground, plan: Plan, seed: Seed) -> Judged:
    """The attacker's own inputs, handed in as reconstructions without asking the model."""
    rng, parts = seed.generator(), []
    for group in plan.groups():
        held = plan.without(group)
        held = held if len(held) else plan.public
        parts += [held[torch.from_numpy(rng.integers(0, len(held), _OWN))] for _ in group]
    classes = torch.tensor([c for group in plan.groups() for c in group]).repeat_interleave(_OWN)
    return judged(Reconstructions("own", classes, torch.cat(parts), 0), judge, ground)


def _records(found: Reconstructions, ground: Ground, seed: Seed) -> Measurement | None:
    """One vote for each class, because its reconstructions resemble each other; ties count for neither side."""
    if not len(ground.members):
        return None
    nearer = apart = 0
    for wanted in sorted(set(found.classes.tolist())):
        inside, outside = ground.members.of(wanted), ground.fresh.of(wanted)
        if min(len(inside), len(outside)) < 2:
            continue
        x, members, others = (
            ground.space.to_unit(v).flatten(1) for v in (_of(found, wanted), inside, outside)
        )
        random = SampleRandom(torch.from_numpy(seed.child(str(wanted)).keys(np.arange(len(x)))))
        distance = nearer_to_training(x, members, others, random)
        votes = int((distance[:, 1] - distance[:, 0]).sign().sum())
        nearer += votes > 0
        apart += votes != 0
    if not apart:
        return None
    return proportion(
        "nearer_to_training_record", nearer, apart, better="lower", detail="classes; 0.5 is chance"
    )


def _of(found: Reconstructions, wanted: int) -> Tensor:
    return found.x[found.classes == wanted]


def _mean(name: str, values: np.ndarray, seed: Seed) -> Measurement:
    interval = bootstrap(values, lambda v: v.mean(-1), seed.child(name).generator(), method="percentile")
    return Measurement(name, float(values.mean()), "likeness", len(values), interval, "lower")


def attacks_compared(items: Sequence[Judged]) -> Table:
    """What each attack reached, and what it cost."""
    rows = tuple(
        (
            item.found.attack,
            len(item.rank),
            round(100 * float((item.rank < 1).mean()), 1),
            round(100 * float((item.rank < _TOP).mean()), 1),
            round(float(item.like.mean()), 3),
            round(item.found.queries / len(item.rank)),
        )
        for item in items
    )
    return Table(
        kind="attacks",
        title="Attacks compared",
        head=("attack", "reconstructions", "% top-1", "% top-5", "likeness to class mean", "queries each"),
        rows=rows,
        note="Top-1: the judge, a classifier of our own, takes the reconstruction for the wanted class.",
    )


def reconstructions_shown(
    items: Sequence[Judged], ground: Ground, names: tuple[str, ...]
) -> PictureGrid | None:
    """The true mean of each class beside its reconstructions; ``None`` where inputs are no pictures.

    Args:
        items: The attacks, the strongest first.
        ground: The data.
        names: Of all classes.
    """
    if not ground.space.is_image or not can_encode():
        return None
    shown = sorted(set(items[0].found.classes.tolist()))[:_ROWS]
    per_attack = max(_COLUMNS // len(items), 1)
    head, columns = ["true mean"], [[ground.reference.of(c).mean(0) for c in shown]]
    for item in items:
        for place in range(min(per_attack, len(_of(item.found, shown[0])))):
            head.append(f"{item.found.attack} {place + 1}")
            columns.append([_at(_of(item.found, c), place) for c in shown])
    rows = zip(*columns, strict=True)
    encoded = tuple(tuple(encode_png(_unit(x, ground), _SIDE) for x in row) for row in rows)
    note = "The attacker held no picture of the class that he wanted; the true mean is of training pictures."
    if not len(ground.members):
        note = (
            "The attacker held no picture of the class that he wanted; the true mean is of audited pictures."
        )
    title = "Reconstructions beside the true mean of each class"
    return PictureGrid("reconstructions", title, tuple(head), tuple(names[c] for c in shown), encoded, note)


def _at(x: Tensor, place: int) -> Tensor:
    """A class that time left out has no reconstruction: grey."""
    return x[place] if place < len(x) else torch.full(x.shape[1:], torch.nan)


def _unit(x: Tensor, ground: Ground) -> np.ndarray:
    u: np.ndarray = torch.nan_to_num(ground.space.to_unit(x), 0.5).numpy()
    return u
