"""What a recipe of adversarial training is: a loss over a batch and an adversary that makes it large."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from torch import Tensor

from gambeson.attacks.geometry import Ball
from gambeson.core.registry import Registry
from gambeson.models.torch_trainee import Trainee


@dataclass(frozen=True, slots=True)
class RecipeFacts:
    """What a recipe declares.

    Attributes:
        summary: What it does, in one line.
        source: Paper and section.
    """

    summary: str
    source: str


@dataclass(frozen=True, slots=True)
class Batch:
    """Training rows and what an attacker may do to them.

    Attributes:
        x: (n, *shape) float32 in input units.
        y: (n,) int64.
        ball: Perturbation sets around the rows, at the radius of this moment.
        begin: (n, *shape) where the attacker ended when the rows were met last, as fractions of eps; ``None`` where
            that is not kept.
    """

    x: Tensor
    y: Tensor
    ball: Ball
    begin: Tensor | None = None


class Recipe(Protocol):
    """A frozen dataclass of parameters with two functions.

    The adversary is called with the network in evaluation mode, the loss in training mode: batch statistics and
    dropout then belong to the training alone.
    """

    def attack(self, network: Trainee, batch: Batch) -> Tensor:
        """(n, *shape) inputs within ``batch.ball`` on which the network is to be trained; no graph.

        A recipe for ensembles may give (k, n, *shape), such inputs of each member; one that prepares for more than the
        declared attacker, inputs beyond the ball.
        """

    def loss(self, network: Trainee, batch: Batch, attacked: Tensor) -> Tensor:
        """The scalar to be minimised."""


recipes: Registry[Callable[..., Recipe], RecipeFacts] = Registry(
    "recipe",
    (
        "gambeson.defenses.training.dverge",
        "gambeson.defenses.training.madry",
        "gambeson.defenses.training.mart",
        "gambeson.defenses.training.mixed",
        "gambeson.defenses.training.noise",
        "gambeson.defenses.training.plain",
        "gambeson.defenses.training.trades",
    ),
)
