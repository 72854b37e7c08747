"""What an evasion attack is: ``init`` and ``step`` over a state of tensors, run by one harness."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

import torch
from torch import Tensor

from gambeson.attacks.geometry import Ball
from gambeson.attacks.randomness import SampleRandom
from gambeson.core.registry import Registry
from gambeson.core.threat import Access, Norm
from gambeson.models.oracle import Oracle


@dataclass(frozen=True, slots=True)
class EvasionFacts:
    """What an evasion attack declares.

    Attributes:
        access: Access it needs.
        norms: Norms it works in.
        source: Paper and section.
        queries_to_init: Queries that ``init`` spends per sample.
        queries_per_step: Most queries that one ``step`` spends per sample.
    """

    access: Access
    norms: tuple[Norm, ...]
    source: str
    queries_to_init: int = 0
    queries_per_step: int = 1


@dataclass(frozen=True, slots=True)
class Problem:
    """The samples that still stand.

    Attributes:
        y: (n,) true labels.
        ball: Perturbation sets around them; ``ball.x`` are the samples.
        rng: One generator per sample.
        steps: Steps that the attack will get at most, for its schedules.
    """

    y: Tensor
    ball: Ball
    rng: SampleRandom
    steps: int

    def select(self, keep: Tensor) -> Problem:
        """The same for the samples ``keep`` (indices)."""
        return Problem(self.y[keep], self.ball.select(keep), self.rng.select(keep), self.steps)


@dataclass(frozen=True, slots=True)
class State:
    """Base of every attack's state: frozen dataclass fields that are tensors have one row per sample."""

    def select(self: S, keep: Tensor) -> S:
        """The state of the samples ``keep`` (indices)."""
        return dataclasses.replace(self, **{name: value[keep] for name, value in self.tensors().items()})

    def tensors(self) -> dict[str, Tensor]:
        """The tensor fields by name."""
        values = {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}
        return {name: value for name, value in values.items() if isinstance(value, Tensor)}


S = TypeVar("S", bound=State)


class EvasionAttack(Protocol[S]):
    """An evasion attack: a frozen dataclass of parameters with two functions.

    The harness drops samples as they fall, so the number of rows may shrink between two steps. Anything
    random comes from ``problem.rng`` and the step number. Success is not the attack's business: the harness
    sees every query and keeps the first valid one that is misclassified.
    """

    @property
    def length(self) -> int:
        """Number of steps for which it wants to run."""

    def init(self, oracle: Oracle, problem: Problem) -> S:
        """State before the first step."""

    def step(self, oracle: Oracle, problem: Problem, state: S, t: int) -> S:
        """State after step ``t`` (from 0)."""


evasion: Registry[Callable[..., EvasionAttack[Any]], EvasionFacts] = Registry(
    "attack",
    (
        "gambeson.attacks.evasion.pgd",
        "gambeson.attacks.evasion.apgd",
        "gambeson.attacks.evasion.square",
    ),
)


def rows(flags: Tensor, like: Tensor) -> Tensor:
    """(n,) reshaped so that it broadcasts over the rows of ``like``."""
    return flags.reshape(-1, *[1] * (like.dim() - 1))


def where(flags: Tensor, new: Tensor, old: Tensor) -> Tensor:
    """Row by row: ``new`` where the (n,) flag is set, else ``old``."""
    return torch.where(rows(flags, new), new, old)
