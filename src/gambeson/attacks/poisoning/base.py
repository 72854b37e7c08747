"""What a poisoning attack is: one function from clean training rows to the rows that it changes, and to what."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable

import numpy as np
from torch import nn

from gambeson.core.errors import InsufficientEvidence, UsageError
from gambeson.core.registry import Registry
from gambeson.core.reproduce import Seed
from gambeson.data.schema import Schema

Build = Callable[[], nn.Module]
"""Makes an untrained network: what an attacker or an inspector trains for himself."""


@dataclass(frozen=True, slots=True)
class PoisoningFacts:
    """What a poisoning attack declares.

    Attributes:
        goal: ``"backdoor"`` (inputs with a trigger get the target), ``"targeted"`` (one input gets the target),
            ``"availability"`` (accuracy falls) or ``"bias"`` (a group is treated otherwise).
        changes: ``"inputs"``, ``"labels"``, ``"both"`` or ``"rows"`` (rows are left out).
        pictures: Whether it works on pictures.
        tables: Whether it works on tables.
        source: Paper and section.
    """

    goal: str
    changes: str
    pictures: bool
    tables: bool
    source: str


@dataclass(frozen=True, slots=True)
class PoisonTask:
    """All that an attacker knows and wants.

    Attributes:
        x: (n, *shape) float32 clean training inputs, in input units.
        y: (n,) int64 labels.
        schema: Shape, bounds, classes, features.
        rate: Share of all rows that he may change, in (0, 1].
        target: Class that he wants.
        seed: Of everything that he draws.
        victim: (*shape) input that is to be given the target; only for attacks on one input.
        build: Makes the network that he trains where he needs one; ``None`` for the default.
    """

    x: np.ndarray
    y: np.ndarray
    schema: Schema
    rate: float
    target: int
    seed: Seed
    victim: np.ndarray | None = None
    build: Build | None = None

    @property
    def budget(self) -> int:
        """Rows that he may change, at least 1."""
        return max(1, round(self.rate * len(self.y)))

    def draw(self, allowed: np.ndarray) -> np.ndarray:
        """As many of the allowed rows as the budget permits, drawn without regard to anything; ascending.

        Args:
            allowed: (n,) bool.

        Raises:
            InsufficientEvidence: No row is allowed.
        """
        rows = np.flatnonzero(allowed)
        if not len(rows):
            raise InsufficientEvidence(
                "No row can be poisoned.", expected="rows of another class than the target, or of it"
            )
        order = self.seed.child("rows").generator().permutation(rows)
        return np.sort(order[: self.budget])


@dataclass(frozen=True, slots=True)
class Changes:
    """What an attacker does to the data.

    Attributes:
        rows: (m,) int64 row numbers, ascending, each once.
        x: (m, *shape) float32 new inputs.
        y: (m,) int64 new labels.
        removed: (r,) int64 rows that are left out.
        facts: ``(name, value)`` of what was drawn or learnt on the way.
    """

    rows: np.ndarray
    x: np.ndarray
    y: np.ndarray
    removed: np.ndarray = field(default_factory=lambda: np.empty(0, np.int64))
    facts: tuple[tuple[str, str], ...] = ()


class Poisoning(Protocol):
    """A frozen dataclass of parameters with one function."""

    def poison(self, task: PoisonTask) -> Changes:
        """The rows that change, and what they become.

        Raises:
            InsufficientEvidence: The data have too few rows of the kind that it needs.
            UsageError: A parameter does not fit the data.
        """


@runtime_checkable
class Backdoor(Protocol):
    """A poisoning attack whose effect is called up by a trigger."""

    def stamp(self, x: np.ndarray, schema: Schema, seed: Seed) -> np.ndarray:
        """Inputs (n, *shape) float32 with the trigger that an attacker sends; within the bounds.

        Args:
            x: (n, *shape) float32.
            schema: Shape and bounds.
            seed: That of the poisoning, from which a trigger may be drawn.
        """


poisonings: Registry[Callable[..., Poisoning], PoisoningFacts] = Registry(
    "poisoning attack",
    (
        "gambeson.attacks.poisoning.badnets",
        "gambeson.attacks.poisoning.bias",
        "gambeson.attacks.poisoning.blended",
        "gambeson.attacks.poisoning.clean_label",
        "gambeson.attacks.poisoning.dynamic",
        "gambeson.attacks.poisoning.feature_collision",
        "gambeson.attacks.poisoning.gradient_matching",
        "gambeson.attacks.poisoning.label_flip",
        "gambeson.attacks.poisoning.sinusoid",
        "gambeson.attacks.poisoning.subpopulation",
        "gambeson.attacks.poisoning.table_trigger",
        "gambeson.attacks.poisoning.warp",
    ),
)


def stamp_rows(attack: Backdoor, task: PoisonTask, rows: np.ndarray) -> Changes:
    """The rows with the trigger and the target as their label: what most backdoors do."""
    x = attack.stamp(task.x[rows], task.schema, task.seed)
    return Changes(rows, x, np.full(len(rows), task.target, np.int64))


def require_share(name: str, value: float, *, most: float = 1.0) -> None:
    """Refuse a parameter that is no share.

    Raises:
        UsageError: It is not in (0, ``most``].
    """
    if not 0 < value <= most:
        raise UsageError(f"{name} is {value:g}.", expected=f"above 0, at most {most:g}")
