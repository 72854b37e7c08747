"""Runs inversion attacks on every wanted class; nobody who wants a class holds inputs of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from gambeson.attacks.harness import Run
from gambeson.attacks.privacy.inversion.base import Inversion, InversionFacts, InversionTask
from gambeson.attacks.privacy.inversion.space import Space
from gambeson.attacks.randomness import SampleRandom
from gambeson.core.errors import UsageError
from gambeson.core.reproduce import Seed
from gambeson.models.oracle import Oracle
from gambeson.models.passes import Gradient, Loss, Passes


@dataclass(frozen=True, slots=True)
class Plan:
    """What to reconstruct.

    Attributes:
        classes: The wanted classes.
        each: Reconstructions of each.
        public: (n, *shape) inputs that the attacker holds; ``labels`` (n,) are for us to hide the wanted classes.
        space: Where valid inputs lie.
        steps: Iterations of an iterative attack.
        budget: Most queries for each reconstruction, or ``None``.
    """

    classes: tuple[int, ...]
    each: int
    public: Tensor
    labels: Tensor
    space: Space
    steps: int
    budget: int | None = None

    def groups(self) -> tuple[tuple[int, ...], ...]:
        """The wanted classes in two groups, each reconstructed from public inputs that show none of it."""
        return tuple(group for group in (self.classes[::2], self.classes[1::2]) if group)

    def without(self, group: tuple[int, ...]) -> Tensor:
        """The public inputs of other classes."""
        return self.public[~torch.isin(self.labels, torch.tensor(group))]


class _AtHome(Oracle):
    """An oracle that is asked with tensors on the CPU, wherever the model lives."""

    def labels(self, x: Tensor, of: Tensor | None = None) -> Tensor:
        return super().labels(x.to(self._passes.device), of).cpu()

    def scores(self, x: Tensor, of: Tensor | None = None) -> Tensor:
        return super().scores(x.to(self._passes.device), of).cpu()

    def gradient(self, x: Tensor, loss: Loss, *rows: Tensor, of: Tensor | None = None) -> Gradient:
        there = self._passes.device
        found = super().gradient(x.to(there), loss, *(row.to(there) for row in rows), of=of)
        return Gradient(found.loss.cpu(), found.scores.cpu(), found.grad.cpu())


@dataclass(frozen=True, slots=True)
class Reconstructions:
    """What an attack found.

    Attributes:
        attack: Its name.
        classes: (m,) int64 wanted classes.
        x: (m, *shape) reconstructions in input units.
        queries: Queries spent in all.
        unfinished: Wanted classes that were left out for lack of time.
    """

    attack: str
    classes: Tensor
    x: Tensor
    queries: int
    unfinished: int = 0


def run_inversion(
    attack: Callable[[], Inversion], name: str, facts: InversionFacts, passes: Passes, plan: Plan, run: Run
) -> Reconstructions | None:
    """Reconstruct every wanted class, one group at a time; ``None`` where it cannot run or time is up.

    Args:
        attack: Makes the attack.
        name: Its registered name.
        facts: What it declares: it gets no more access than that, and does not run with fewer public inputs.
        passes: The target.
        plan: What to reconstruct.
        run: Seeds, deadline, journal, progress: one unit of work for each reconstruction.

    Raises:
        UsageError: The attack gave something of the wrong shape or outside the bounds.
        ModelError: The model answered with something unusable.
    """
    found: list[tuple[Tensor, Tensor, int]] = []
    left = len(plan.classes)
    for number, group in enumerate(plan.groups()):
        if len(plan.without(group)) < facts.least_public:
            return None
        if run.deadline is not None and run.clock() >= run.deadline:
            break
        key = f"{run.key}/{name}/{number}"
        stored = run.journal.load(key)
        if stored is None:
            stored = _reconstruct(attack(), name, facts, passes, plan, group, run.seed)
            run.journal.save(key, stored)
        classes = torch.tensor(group).repeat_interleave(plan.each)
        found.append((classes, torch.from_numpy(np.array(stored["x"])), int(stored["queries"])))
        left -= len(group)
        run.report(len(classes), 0)
    if not found:
        return None
    wanted, x, queries = zip(*found, strict=True)
    return Reconstructions(name, torch.cat(wanted), torch.cat(x), sum(queries), left)


def _reconstruct(
    attack: Inversion,
    name: str,
    facts: InversionFacts,
    passes: Passes,
    plan: Plan,
    group: tuple[int, ...],
    seed: Seed,
) -> dict[str, np.ndarray]:
    classes = torch.tensor(group).repeat_interleave(plan.each)
    own = seed.child(name, *map(str, group))
    oracle = _AtHome(passes, facts.access, rows=len(classes), budget=plan.budget)
    task = InversionTask(
        classes=classes,
        public=plan.without(group),
        space=plan.space,
        random=SampleRandom(torch.from_numpy(own.keys(np.arange(len(classes))))),
        steps=plan.steps,
        seed=own.integer(),
    )
    x = attack.reconstruct(oracle, task)
    _check(name, x, (len(classes), *plan.space.shape), plan.space)
    return {"x": x.numpy(), "queries": np.array(int(oracle.queries.sum()))}


def _check(name: str, x: Tensor, shape: tuple[int, ...], space: Space) -> None:
    room = 1e-4 * space.width
    if x.shape == shape and bool(((x >= space.low - room) & (x <= space.low + space.width + room)).all()):
        return
    raise UsageError(
        f"The attack {name} gave reconstructions of shape {tuple(x.shape)}, or some outside the bounds.",
        expected=f"{shape}, every value finite and within the data's bounds",
    )
