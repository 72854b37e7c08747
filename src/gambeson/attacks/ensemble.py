"""Several attacks in turn, cheapest first, each on the samples that the ones before it left standing."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch

from gambeson.attacks.base import EvasionAttack, EvasionFacts, evasion
from gambeson.attacks.geometry import PerturbationSet
from gambeson.attacks.harness import Run, Samples, run_attack
from gambeson.core.errors import UsageError
from gambeson.models.passes import Passes


@dataclass(frozen=True, slots=True)
class Stage:
    """One attack of an ensemble.

    Attributes:
        label: Name in reports, with its parameters, e.g. ``"apgd-ce(50)"``.
        attack: The attack.
        facts: What it declared.
    """

    label: str
    attack: EvasionAttack[Any]
    facts: EvasionFacts


@dataclass(frozen=True, slots=True)
class StageRecord:
    """What one stage did.

    Attributes:
        label: The stage's.
        tried: Samples it was given.
        fell: Samples it broke, verified.
        refuted: Claims that verification did not confirm.
        unfinished: Samples on which time ran out; equal to ``tried`` when the stage never began.
    """

    label: str
    tried: int
    fell: int
    refuted: int
    unfinished: int


@dataclass(frozen=True, slots=True)
class EnsembleOutcome:
    """What all stages found together, per sample.

    Attributes:
        fallen: (n,) bool, verified.
        adversarial: (n, *shape) the inputs found; the sample itself where it stands.
        queries: (n,) int64 queries until it fell, over all stages.
        stage: (n,) int64 number of the stage that broke it, -1 where it stands.
        distance: (n,) float64 norm of the perturbation found; infinite where it stands.
        records: One for each stage.
    """

    fallen: np.ndarray
    adversarial: np.ndarray
    queries: np.ndarray
    stage: np.ndarray
    distance: np.ndarray
    records: tuple[StageRecord, ...]

    @property
    def unfinished(self) -> int:
        """Most samples that any stage left for lack of time."""
        return max((record.unfinished for record in self.records), default=0)


def stage(name: str, label: str = "", **parameters: object) -> Stage:
    """A stage from the registry.

    Args:
        name: Registered name of the attack.
        label: Name in reports; by default the registered name.
        parameters: Of the attack.

    Raises:
        UsageError: The attack or a parameter is unknown.
    """
    entry = evasion[name]
    try:
        attack = entry.plugin(**parameters)
    except TypeError as error:
        raise UsageError(f"The attack {name!r} does not take these parameters: {error}.") from None
    return Stage(label or name, attack, entry.facts)


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
    n = len(samples)
    fallen, stage_of = np.zeros(n, bool), np.full(n, -1)
    queries, adversarial = np.zeros(n, np.int64), samples.x.numpy().copy()
    distance = np.full(n, np.inf)
    records = []
    for number, item in enumerate(stages):
        standing = np.flatnonzero(~fallen)
        left = None if budget is None else budget - int(queries[standing].max(initial=0))
        if not len(standing) or left == 0:
            records.append(StageRecord(item.label, 0, 0, 0, 0))
            continue
        if run.deadline is not None and run.clock() >= run.deadline:
            records.append(StageRecord(item.label, len(standing), 0, 0, len(standing)))
            continue
        rest = sum(later.attack.length for later in stages[number + 1 :])
        branch = replace(
            run,
            seed=run.seed.child(str(number), item.label),
            key=f"{run.key}/{number}-{item.label}",
            report=_also_rest(run.report, rest),
        )
        rows = torch.from_numpy(standing)
        found = run_attack(
            item.attack, item.facts, passes, samples.select(rows), space, budget=left, run=branch
        )
        hit = standing[found.fallen]
        fallen[hit], stage_of[hit] = True, number
        adversarial[hit], distance[hit] = found.adversarial[found.fallen], found.distance[found.fallen]
        queries[standing] += found.queries
        record = StageRecord(item.label, len(standing), len(hit), found.refuted, found.unfinished)
        records.append(record)
    return EnsembleOutcome(fallen, adversarial, queries, stage_of, distance, tuple(records))


def _also_rest(report: Callable[[int, int], None], rest: int) -> Callable[[int, int], None]:
    """Report a fallen sample's steps in later stages as work made needless, too."""

    def with_rest(work: int, fallen: int) -> None:
        report(work + fallen * rest, fallen)

    return with_rest
