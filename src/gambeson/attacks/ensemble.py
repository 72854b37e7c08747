"""Several attacks in turn, cheapest first, each on the samples that the ones before it left standing."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch

from gambeson.attacks.base import EvasionAttack, EvasionFacts, evasion
from gambeson.attacks.geometry import PerturbationSet
from gambeson.attacks.harness import AttackOutcome, Run, Samples, run_attack
from gambeson.attacks.losses import margin
from gambeson.models.passes import Passes


@dataclass(frozen=True, slots=True)
class Stage:
    """One attack of an ensemble.

    Attributes:
        label: Name in reports, with its parameters, e.g. ``"apgd-ce(50)"``.
        attack: The attack.
        facts: What it declared.
        close: It gets only the samples of whose clean margin at most this share is left after the stages
            before, and never fewer than the ``least`` closest; 1 for all.
        least: Samples that are cheap enough to be attacked hard, however far they seem.
        probe: It gets only this many samples, half of them those that are closest to falling and half those that
            are furthest from it; ``None`` for all.
        after: Label of a stage; this one runs only if that one broke something, and not on what the same attack
            has tried in that one.
        reach: After that stage it gets the samples that are at most this many times as far from falling as the
            furthest that it broke.
        rough: Search in bfloat16 where that pays. What verification refutes stands, and counts as close.
    """

    label: str
    attack: EvasionAttack[Any]
    facts: EvasionFacts
    close: float = 1.0
    least: int = 16
    probe: int | None = None
    after: str | None = None
    reach: float = np.inf
    rough: bool = False

    def choose(self, standing: np.ndarray, left: np.ndarray, trails: Mapping[str, Trail]) -> np.ndarray:
        """The samples that it gets.

        Args:
            standing: (k,) indices of the samples that stand.
            left: (k,) share of the clean margin that each has left.
            trails: What each stage before has done, by label.
        """
        if self.after is not None:
            return self._follow(standing, left, trails.get(self.after))
        order = standing[np.argsort(left, kind="stable")]
        if self.probe is not None:
            near = self.probe - self.probe // 2
            return np.union1d(order[:near], order[near:][-(self.probe // 2) :])
        if self.close < 1:
            return np.union1d(standing[left <= self.close], order[: self.least])
        return standing

    def _follow(self, standing: np.ndarray, left: np.ndarray, trail: Trail | None) -> np.ndarray:
        """The samples about as near as those that the stage before this one broke."""
        if trail is None or not trail.furthest:
            return standing[:0]
        chosen = standing[left <= self.reach * trail.furthest]
        return np.setdiff1d(chosen, trail.tried) if trail.attack == self.attack else chosen


@dataclass(frozen=True, slots=True)
class Trail:
    """Where a stage went.

    Attributes:
        attack: What it ran.
        tried: Indices of its samples.
        furthest: Largest share of its clean margin that was left, before, to a sample that it broke; 0 if it broke
            none.
    """

    attack: EvasionAttack[Any]
    tried: np.ndarray
    furthest: float


@dataclass(frozen=True, slots=True)
class StageRecord:
    """What one stage did.

    Attributes:
        label: The stage's.
        tried: Samples it was given.
        fell: Samples it broke, verified.
        refuted: Claims that verification did not confirm.
        unfinished: Samples on which time ran out; equal to ``tried`` when the stage never began.
        queries: Spent on all its samples together.
    """

    label: str
    tried: int
    fell: int
    refuted: int
    unfinished: int
    queries: int = 0


@dataclass(frozen=True, slots=True)
class EnsembleOutcome:
    """What all stages found together, per sample.

    Attributes:
        fallen: (n,) bool, verified.
        adversarial: (n, *shape) the inputs found; the sample itself where it stands.
        queries: (n,) int64 queries until it fell, over all stages.
        stage: (n,) int64 number of the stage that broke it, -1 where it stands.
        distance: (n,) float64 norm of the perturbation found; infinite where it stands.
        fell_at: (n,) float64 model passes that all samples together had cost when it fell, divided by n, were the
            live samples of a stage to advance query by query side by side; infinite where it stands. A gradient
            counts as one pass; clean answers and the verification are not counted.
        records: One for each stage.
    """

    fallen: np.ndarray
    adversarial: np.ndarray
    queries: np.ndarray
    stage: np.ndarray
    distance: np.ndarray
    fell_at: np.ndarray
    records: tuple[StageRecord, ...]

    @property
    def unfinished(self) -> int:
        """Most samples that any stage left for lack of time."""
        return max((record.unfinished for record in self.records), default=0)


def stage(name: str, label: str = "", /, **parameters: object) -> Stage:
    """A stage from the registry.

    Args:
        name: Registered name of the attack.
        label: Name in reports; by default the registered name.
        parameters: Of the attack.

    Raises:
        UsageError: The attack or a parameter is unknown.
    """
    attack = evasion.make(name, parameters)
    return Stage(label or name, attack, evasion[name].facts)


def run_in_turn(
    stages: Sequence[Stage],
    passes: Passes,
    samples: Samples,
    space: PerturbationSet,
    *,
    budget: int | None = None,
    run: Run,
) -> EnsembleOutcome:
    """Run the stages one after another on what still stands.

    Args:
        stages: Cheapest first.
        passes: The model.
        samples: What to attack.
        space: The perturbation set.
        budget: Most queries per sample over all stages, or ``None``. A stage gets what the fullest spender
            among its samples has left.
        run: Seeds, deadline, journal; each stage gets its own branch.

    Raises:
        AccessDenied: An attack asked for more access than it declared.
        ModelError: The model answered with something unusable.
    """
    state = _Progress(samples, _clean_margins(passes, samples))
    for number, item in enumerate(stages):
        standing = np.flatnonzero(~state.fallen)
        chosen = item.choose(standing, state.left[standing], state.trails)
        run.report((len(standing) - len(chosen)) * item.attack.length, 0)
        left = None if budget is None else budget - int(state.queries[chosen].max(initial=0))
        if not len(chosen) or left == 0:
            state.records.append(StageRecord(item.label, 0, 0, 0, 0))
            continue
        if run.deadline is not None and run.clock() >= run.deadline:
            state.records.append(StageRecord(item.label, len(chosen), 0, 0, len(chosen)))
            continue
        rest = sum(later.attack.length for later in stages[number + 1 :])
        branch = replace(
            run,
            seed=run.seed.child(str(number), item.label),
            key=f"{run.key}/{number}-{item.label}",
            report=_also_rest(run.report, rest),
        )
        part = samples.select(torch.from_numpy(chosen))
        search = passes.rough() if item.rough else passes
        found = run_attack(item.attack, item.facts, search, part, space, budget=left, run=branch)
        run.report(0, -found.refuted)  # progress counts claims; those that did not hold are taken back
        state.take(number, item, chosen, found)
    return state.outcome()


class _Progress:
    """What the stages so far have found."""

    def __init__(self, samples: Samples, clean: np.ndarray) -> None:
        n = len(samples)
        self.fallen, self.stage = np.zeros(n, bool), np.full(n, -1)
        self.queries, self.distance = np.zeros(n, np.int64), np.full(n, np.inf)
        self.fell_at = np.full(n, np.inf)
        self.adversarial = samples.x.numpy().copy()
        self.records: list[StageRecord] = []
        self.trails: dict[str, Trail] = {}
        self._clean, self._best = clean, clean.astype(np.float64)

    @property
    def left(self) -> np.ndarray:
        """(n,) share of the clean margin that is left."""
        share: np.ndarray = self._best / self._clean
        return share

    def take(self, number: int, item: Stage, chosen: np.ndarray, found: AttackOutcome) -> None:
        """Add what a stage found on the samples ``chosen``."""
        hit = chosen[found.fallen]
        self.trails[item.label] = Trail(item.attack, chosen, float(self.left[hit].max(initial=0)))
        self._best[chosen] = np.maximum(self._best[chosen], found.margin)
        self.fallen[hit], self.stage[hit] = True, number
        self.adversarial[hit] = found.adversarial[found.fallen]
        self.distance[hit] = found.distance[found.fallen]
        spent = int(self.queries.sum()) + _spent_together(found.queries)
        self.fell_at[hit] = spent[found.fallen] / len(self.fallen)
        self.queries[chosen] += found.queries
        spending = int(found.queries.sum())
        self.records.append(
            StageRecord(item.label, len(chosen), len(hit), found.refuted, found.unfinished, spending)
        )

    def outcome(self) -> EnsembleOutcome:
        """All of it."""
        return EnsembleOutcome(
            fallen=self.fallen,
            adversarial=self.adversarial,
            queries=self.queries,
            stage=self.stage,
            distance=self.distance,
            fell_at=self.fell_at,
            records=tuple(self.records),
        )


def _spent_together(queries: np.ndarray) -> np.ndarray:
    """(n,) queries spent on all samples by the time each had spent its own, if all go on side by side."""
    ordered = np.sort(queries)
    before = np.concatenate([[0], np.cumsum(ordered)])
    done = np.searchsorted(ordered, queries, side="right")
    total: np.ndarray = before[done] + (len(queries) - done) * queries
    return total


def _clean_margins(passes: Passes, samples: Samples) -> np.ndarray:
    """(n,) margins of the samples as they are, below 0 where they are classified correctly."""
    if not len(samples):
        return np.zeros(0)
    scores = passes.scores(samples.x.to(passes.device))
    margins: np.ndarray = margin(scores, samples.y.to(scores.device)).cpu().numpy()
    return margins.clip(max=-1e-12)


def _also_rest(report: Callable[[int, int], None], rest: int) -> Callable[[int, int], None]:
    """Report a fallen sample's steps in later stages as work made needless, too."""

    def with_rest(work: int, fallen: int) -> None:
        report(work + fallen * rest, fallen)

    return with_rest
