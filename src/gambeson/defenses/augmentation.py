"""Adversarial augmentation: fit a model again and again to its data and to what fooled it before.

For models that are fitted rather than trained by gradients: tree ensembles, linear models, whatever scikit-learn fits.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import torch

from gambeson.attacks.ensemble import Stage, run_in_turn, stage
from gambeson.attacks.geometry import PerturbationSet
from gambeson.attacks.harness import Run, Samples
from gambeson.attacks.robustness import measure_robustness
from gambeson.core.errors import Unavailable
from gambeson.core.threat import Norm
from gambeson.data.dataset import Split
from gambeson.defenses.fitted import Fitted, Round, fitted_recipes
from gambeson.defenses.training.base import RecipeFacts
from gambeson.models.model import Savable
from gambeson.models.passes import Passes


@fitted_recipes.register(
    "augmentation",
    RecipeFacts(
        "fitted again and again to the rows and to what fooled it before: for trees and other models without gradients",
        source="Kantchelian, Tygar & Joseph 2016, arXiv:1509.07892, section 5",
    ),
)
@dataclass(frozen=True, slots=True)
class Augmentation:
    """How often and how hard.

    Deviations from adversarial boosting: inputs are searched by a black-box attack within the radius instead of the
    nearest one by integer programming, and each round fits a new model to all that was found so far instead of adding
    one tree.

    Attributes:
        rounds: Models fitted.
        rows: Most training rows attacked in each round.
        queries: Queries of the attack for each row.
        held_out: Most training rows that only show which round's model is best.
    """

    rounds: int = 8
    rows: int = 2_000
    queries: int = 300
    held_out: int = 500

    def check(self, model: Savable) -> None:
        """It fits any."""

    def fit(
        self, model: Savable, split: Split, space: PerturbationSet, run: Run, note: Callable[[str], None]
    ) -> Fitted:
        """See ``augment``."""
        return augment(model, split, space, self, run, note)


@dataclass(slots=True)
class _Collected:
    """The training rows, and what fooled a model so far."""

    x: list[np.ndarray]
    y: list[np.ndarray] = field(default_factory=list)

    def all(self) -> tuple[np.ndarray, np.ndarray]:
        return np.concatenate(self.x), np.concatenate(self.y)


def augment(
    model: Savable,
    split: Split,
    space: PerturbationSet,
    plan: Augmentation,
    run: Run,
    note: Callable[[str], None] = lambda line: None,
) -> Fitted:
    """Fit, attack, add what was found, and fit again.

    Args:
        model: Says what kind of model is fitted; it is left as it is.
        split: The training rows.
        space: What the attacker may change.
        plan: How often and how hard.
        run: Seeds, deadline, clock; ``run.report`` gets one for each round.
        note: Called with a line on each round.

    Raises:
        Unavailable: No black-box attack works within the perturbation set.
        ModelError: Fitting failed.
    """
    stages = _stages(space, plan.queries)
    order = run.seed.child("held out").generator().permutation(len(split))
    m = max(1, min(plan.held_out, len(split) // 5))
    watched, train = np.sort(order[:m]), np.sort(order[m:])
    x, y = split.take(train)
    held_out, collected = _samples(*split.take(watched), watched), _Collected([x], [y])
    best, current, rounds = model, model, list[Round]()
    for number in range(plan.rounds):
        if run.deadline is not None and run.clock() >= run.deadline:
            break
        seed = run.seed.child("round", str(number))
        fitted = current.fit_new(*collected.all(), seed.child("fit").integer())
        assert isinstance(fitted, Savable)  # a fresh model is of the same kind
        current = fitted
        rounds.append(_look(current, held_out, space, stages, run, sum(map(len, collected.y))))
        if rounds[-1].stand >= max(r.stand for r in rounds):
            best = current
        note(f"round {number + 1}: {rounds[-1].right / m:.1%} clean, {rounds[-1].stand / m:.1%} under attack")
        run.report(1, 0)
        _add(collected, current, _samples(x, y, train), space, stages, replace(run, seed=seed), plan.rows)
    return Fitted(best, tuple(rounds), complete=len(rounds) == plan.rounds)


def _stages(space: PerturbationSet, queries: int) -> Sequence[Stage]:
    """Black-box attacks for the perturbation set: of tables where it has rules or whole numbers, else of any input."""
    table = not space.plain
    found = [stage("tabular", queries=queries)] if table else [stage("square", queries=queries)]
    fitting = [item for item in found if space.norm in item.facts.norms]
    if not fitting or space.norm is Norm.L0:
        raise Unavailable(
            f"No black-box attack of training rows works under {space.norm}.", expected="linf, l2 or l1"
        )
    return fitting


def _samples(x: np.ndarray, y: np.ndarray, index: np.ndarray) -> Samples:
    return Samples(torch.from_numpy(x), torch.from_numpy(y), index)


def _look(
    model: Savable,
    held_out: Samples,
    space: PerturbationSet,
    stages: Sequence[Stage],
    run: Run,
    rows: int,
) -> Round:
    seed = run.seed.child("look")
    found = measure_robustness(stages, Passes(model), held_out, space, run=Run(seed, clock=run.clock))
    stand = len(found.attacked) - int(found.outcome.fallen.sum())
    return Round(rows, len(found.attacked), stand, len(held_out))


def _add(
    collected: _Collected,
    model: Savable,
    rows: Samples,
    space: PerturbationSet,
    stages: Sequence[Stage],
    run: Run,
    most: int,
) -> None:
    """Attack some training rows and collect what fools the model, those that fool it as they are included."""
    chosen = run.seed.child("rows").generator().permutation(len(rows))[:most]
    picked = rows.select(torch.from_numpy(np.sort(chosen)))
    outcome = run_in_turn(stages, Passes(model), picked, space, run=Run(run.seed, clock=run.clock))
    fallen = outcome.fallen
    collected.x.append(outcome.adversarial[fallen])
    collected.y.append(picked.y.numpy()[fallen])
