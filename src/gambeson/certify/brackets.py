"""The interval that robust accuracy lies in: certified from below, attacked from above, on the same samples."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch

from gambeson.attacks.ensemble import Stage, run_in_turn
from gambeson.attacks.geometry import PerturbationSet
from gambeson.attacks.harness import Run, Samples
from gambeson.attacks.robustness import clean_predictions
from gambeson.core.errors import GambesonError
from gambeson.core.measurement import Measurement
from gambeson.core.stats import proportion
from gambeson.models.passes import Passes


class Contradiction(GambesonError):
    """A sample was both certified and broken within one radius: one of the two is wrong."""


@dataclass(frozen=True, slots=True)
class Attacked:
    """What attacks leave at each of k radii.

    Attributes:
        correct: (n,) bool, classified correctly when nobody attacks.
        fallen: (k, n) bool, broken within the radius, verified; never of a sample that is wrong anyway.
        unfinished: Samples on which time ran out, at most.
    """

    correct: np.ndarray
    fallen: np.ndarray
    unfinished: int


@dataclass(frozen=True, slots=True)
class Bracket:
    """Certified and attacked accuracy at one radius, both of all n samples.

    Attributes:
        eps: The radius.
        certified: Fraction that is right and proved to stay so: a lower bound of robust accuracy.
        attacked: Fraction that is right and withstood the attacks: an upper bound.
    """

    eps: float
    certified: Measurement
    attacked: Measurement


def attack_upwards(
    stages: Sequence[Stage],
    passes: Passes,
    samples: Samples,
    space: PerturbationSet,
    radii: Sequence[float],
    *,
    run: Run,
) -> Attacked:
    """Attack the samples that are right at each radius, smallest first: what fell stays fallen.

    Certified samples are attacked like all others, so that a wrong certificate can be found out.

    Args:
        stages: Cheapest first.
        passes: The model.
        samples: What to attack.
        space: The perturbation set at any radius.
        radii: Ascending.
        run: Seeds, deadline, journal.

    Raises:
        ModelError: The model answered with something unusable.
    """
    correct = clean_predictions(passes, samples) == samples.y.numpy()
    fallen = np.zeros((len(radii), len(samples)), bool)
    broken, unfinished = np.zeros(len(samples), bool), 0
    for row, radius in enumerate(radii):
        todo = np.flatnonzero(correct & ~broken)
        name = f"{radius:.6g}"
        found = run_in_turn(
            stages,
            passes,
            samples.select(torch.from_numpy(todo)),
            space.with_eps(radius),
            run=replace(run, seed=run.seed.child(name), key=f"{run.key}/{name}"),
        )
        broken[todo[found.fallen]] = True
        unfinished = max(unfinished, found.unfinished)
        fallen[row] = broken
    return Attacked(correct, fallen, unfinished)


def brackets(
    radii: Sequence[float], certified: np.ndarray, attacked: Attacked, index: np.ndarray, *, allowed: int = 0
) -> tuple[Bracket, ...]:
    """The interval at each radius.

    Args:
        radii: k radii.
        certified: (k, n) bool, proved to get the true class.
        attacked: Of the same samples and radii.
        index: (n,) names of the samples.
        allowed: Contradictions that chance may explain, where certificates hold with high probability only.

    Raises:
        Contradiction: More samples than that are certified at a radius and broken within it.
        InsufficientEvidence: There is no sample.
    """
    found = []
    for row, eps in enumerate(radii):
        _require_consistent(certified[row] & attacked.fallen[row], index, eps, allowed)
        low = int((certified[row] & attacked.correct).sum())
        high = int((attacked.correct & ~attacked.fallen[row]).sum())
        n = len(index)
        found.append(
            Bracket(
                eps,
                proportion("certified_accuracy", low, n, better="higher", detail=f"eps={eps:.4g}"),
                proportion("attacked_accuracy", high, n, better="higher", detail=f"eps={eps:.4g}"),
            )
        )
    return tuple(found)


def _require_consistent(both: np.ndarray, index: np.ndarray, eps: float, allowed: int) -> None:
    rows = index[both]
    if len(rows) > allowed:
        named = ", ".join(str(row) for row in rows[:5])
        raise Contradiction(
            f"{len(rows)} samples are certified at eps={eps:.4g} and yet were broken within it (rows {named}).",
            expected="every certified sample to withstand every attack"
            + (f", or at most {allowed} by chance" if allowed else ""),
            remedy="neither figure can be trusted: please report this as a bug of Gambeson, with the model",
        )
