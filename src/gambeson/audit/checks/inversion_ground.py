"""What the inversion checks share out: inputs for the attacker, for the judge, and to compare with."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from gambeson.attacks.privacy.inversion.harness import Plan
from gambeson.attacks.privacy.inversion.judge import Judge, restore_judge, train_judge
from gambeson.attacks.privacy.inversion.space import Space, space_of
from gambeson.attacks.privacy.pool import draw_pool
from gambeson.audit.base import CheckContext
from gambeson.core.errors import InsufficientEvidence
from gambeson.core.reproduce import Seed

_MOST = 12_000
"""Rows of each split that are drawn."""
_PUBLIC = 3_000
_FEWEST = 4
"""Inputs of a class that the judge must have seen."""
_MOST_CLASSES = (10, 20, 30)
_EACH = (3, 5, 10)
_UPDATES = (150, 400, 800)
_STEPS = (60, 100, 200)


@dataclass(frozen=True, slots=True)
class Rows:
    """Inputs (n, *shape) and labels (n,)."""

    x: Tensor
    y: Tensor

    def __len__(self) -> int:
        return len(self.y)

    def of(self, label: int) -> Tensor:
        """The inputs of one class."""
        return self.x[self.y == label]

    def at(self, rows: np.ndarray) -> Rows:
        """The rows with these numbers."""
        return Rows(self.x[rows], self.y[rows])


@dataclass(frozen=True, slots=True)
class Ground:
    """The division of the data, the same in every inversion check of an audit.

    Attributes:
        public: The attacker's, without labels; the target was not trained on them.
        judging: The judge's, which the target was not trained on either.
        held: What neither the attacker nor the judge saw, to measure the judge: training rows where there are any.
        members: Training rows of the target, or none.
        space: Where valid inputs lie.
        removed: Audited rows left out because the training split holds the same input.
    """

    public: Rows
    judging: Rows
    held: Rows
    members: Rows
    space: Space
    removed: int

    @property
    def fresh(self) -> Rows:
        """All that the target was not trained on."""
        parts = (self.public, self.judging)
        return Rows(torch.cat([p.x for p in parts]), torch.cat([p.y for p in parts]))

    @property
    def reference(self) -> Rows:
        """Rows that tell what a class really looks like: the target's own where they are known."""
        return self.members if len(self.members) else self.fresh


def level_of(context: CheckContext) -> int:
    """0 for quick, 1 for standard, 2 for thorough."""
    return sum(context.effort.steps > least for least in (20, 50))


def seed_of(context: CheckContext) -> Seed:
    """One for all inversion checks of an audit, so that they share ground and judge."""
    return Seed(context.seed.value).child("inversion")


def divide_ground(context: CheckContext) -> Ground:
    """A third of the rows that the target never saw is the attacker's, the rest the judge's.

    Without a training split the judge is measured on a fifth of its rows, which it then doesn't see.

    Raises:
        InsufficientEvidence: There are too few rows, or labels that the model does not know.
    """
    fresh, members, removed = _drawn(context)
    classes = context.model.info.classes
    if len(fresh) < 10 * min(classes, 10) or int(fresh.y.max()) >= classes or int(fresh.y.min()) < 0:
        raise InsufficientEvidence(
            f"There are {len(fresh)} rows that the model was not trained on, for {classes} classes.",
            expected="at least 10 for each class, with the model's labels: a third for the attacker, the rest for "
            "the judge of what he reconstructs",
            remedy="give more records that the model was not trained on",
        )
    order = seed_of(context).child("division").generator().permutation(len(fresh))
    count = min(len(fresh) // 3, _PUBLIC)
    public, rest = fresh.at(np.sort(order[:count])), np.sort(order[count:])
    spare = 0 if len(members) else len(rest) // 5
    held = members if len(members) else fresh.at(rest[:spare])
    known = torch.cat([fresh.x, members.x])
    return Ground(
        public, fresh.at(rest[spare:]), held, members, space_of(context.data.schema, known), removed
    )


def _drawn(context: CheckContext) -> tuple[Rows, Rows, int]:
    """Rows that the target was not trained on, rows that it was, and how many were in both."""
    audited, name = context.data.split(context.split), context.train_split
    shape = (0, *context.model.info.shape)
    nothing = Rows(torch.empty(shape), torch.empty(0, dtype=torch.int64))
    if name is None or name == context.split or name not in context.data.splits:
        rng = seed_of(context).child("rows").generator()
        drawn = np.sort(rng.permutation(len(audited))[:_MOST])
        return _rows(audited.take(drawn)), nothing, 0
    pool = draw_pool(context.data.split(name), audited, _MOST, seed_of(context).child("rows"))
    m, everything = len(pool.member_rows), np.arange(len(pool))
    if not len(pool.nonmember_rows):
        return nothing, _rows(pool.take(everything[:m])), pool.removed
    return _rows(pool.take(everything[m:])), _rows(pool.take(everything[:m])), pool.removed


def _rows(taken: tuple[np.ndarray, np.ndarray]) -> Rows:
    return Rows(torch.from_numpy(taken[0]), torch.from_numpy(taken[1]))


def plan_inversion(context: CheckContext, ground: Ground) -> Plan:
    """Which classes are wanted, how often each, and with how many steps.

    Raises:
        InsufficientEvidence: The judge knows fewer than two classes.
    """
    classes, level = context.model.info.classes, level_of(context)
    seen = torch.bincount(ground.judging.y, minlength=classes) >= _FEWEST
    there = torch.bincount(ground.held.y, minlength=classes) > 0
    wanted = (seen & there).nonzero().squeeze(1).numpy()
    if len(wanted) < 2:
        raise InsufficientEvidence(
            f"{len(wanted)} classes have {_FEWEST} rows or more for the judge.",
            expected="at least two",
            remedy="give more records that the model was not trained on",
        )
    rng = seed_of(context).child("classes").generator()
    chosen = sorted(int(c) for c in rng.permutation(wanted)[: _MOST_CLASSES[level]])
    public, budget = ground.public, context.threat.queries
    return Plan(tuple(chosen), _EACH[level], public.x, public.y, ground.space, _STEPS[level], budget)


def kept_judge(context: CheckContext, ground: Ground) -> Judge:
    """The judge, from the journal where another inversion check of this audit left it there.

    Raises:
        ModelError: Its training diverged.
    """
    classes, key = context.model.info.classes, "privacy.inversion/judge"
    stored = context.journal.load(key)
    if stored is not None:
        return restore_judge(stored, ground.space, classes)
    judge = train_judge(
        ground.judging.x,
        ground.judging.y,
        ground.space,
        classes,
        updates=_UPDATES[level_of(context)],
        seed=seed_of(context).child("judge"),
    )
    context.journal.save(key, judge.weights())
    return judge
