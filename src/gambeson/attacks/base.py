"""What an evasion attack is: ``init`` and ``step`` over a state of tensors, run by one harness."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar, runtime_checkable

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
        queries_per_step: Most queries that one ``step`` spends per sample; ``None`` for an attack that plans
            its steps by ``oracle.left``.
        minimum_norm: It looks for the nearest adversarial input, and may ask about inputs outside the ball.
    """

    access: Access
    norms: tuple[Norm, ...]
    source: str
    queries_to_init: int = 0
    queries_per_step: int | None = 1
    minimum_norm: bool = False


@dataclass(frozen=True, slots=True)
class Problem:
    """The samples that still stand.

    Attributes:
        y: (n,) true labels.
        ball: Perturbation sets around them; ``ball.x`` are the samples.
        rng: One generator per sample.
        steps: Steps that the attack will get at most, for its schedules.
        donors: (k, *shape) other inputs that the attacker holds, to start a label-only attack from; may be empty.
    """

    y: Tensor
    ball: Ball
    rng: SampleRandom
    steps: int
    donors: Tensor

    def select(self, keep: Tensor) -> Problem:
        """The same for the samples ``keep`` (indices)."""
        return dataclasses.replace(
            self, y=self.y[keep], ball=self.ball.select(keep), rng=self.rng.select(keep)
        )


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
S_contra = TypeVar("S_contra", bound=State, contravariant=True)


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


@runtime_checkable
class GivesUp(Protocol[S_contra]):
    """An attack that leaves alone the samples on which it sees no hope."""

    def idle(self, state: S_contra) -> Tensor:
        """(n,) bool: samples on which it will not spend another query."""


@runtime_checkable
class PlansQueries(Protocol):
    """An attack that is given a number of queries and plans its steps by what is left of them."""

    @property
    def queries(self) -> int:
        """Most queries per sample."""


evasion: Registry[Callable[..., EvasionAttack[Any]], EvasionFacts] = Registry(
    "attack",
    (
        "gambeson.attacks.evasion.pgd",
        "gambeson.attacks.evasion.apgd",
        "gambeson.attacks.evasion.square",
        "gambeson.attacks.evasion.fab",
        "gambeson.attacks.evasion.fgsm",
        "gambeson.attacks.evasion.fmn",
        "gambeson.attacks.evasion.ddn",
        "gambeson.attacks.evasion.deepfool",
        "gambeson.attacks.evasion.carlini_wagner",
        "gambeson.attacks.evasion.ead",
        "gambeson.attacks.evasion.sigma_zero",
        "gambeson.attacks.evasion.hopskipjump",
        "gambeson.attacks.evasion.boundary",
        "gambeson.attacks.evasion.surfree",
        "gambeson.attacks.evasion.geoda",
        "gambeson.attacks.evasion.rays",
        "gambeson.attacks.evasion.simba",
        "gambeson.attacks.evasion.nes",
        "gambeson.attacks.evasion.zoo",
        "gambeson.attacks.evasion.tabular",
        "gambeson.attacks.evasion.tabular_labels",
    ),
)


def rows(flags: Tensor, like: Tensor) -> Tensor:
    """(n,) reshaped so that it broadcasts over the rows of ``like``."""
    return flags.reshape(-1, *[1] * (like.dim() - 1))


def where(flags: Tensor, new: Tensor, old: Tensor) -> Tensor:
    """Row by row: ``new`` where the (n,) flag is set, else ``old``."""
    return torch.where(rows(flags, new), new, old)
