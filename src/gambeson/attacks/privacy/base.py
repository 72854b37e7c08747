"""What a membership-inference attack is: one function from scores to a membership score per record."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from gambeson.core.errors import UsageError
from gambeson.core.registry import Registry
from gambeson.core.reproduce import Seed
from gambeson.core.threat import Access


@dataclass(frozen=True, slots=True)
class PrivacyFacts:
    """What a privacy attack declares.

    Attributes:
        access: Access to the target that it needs.
        least_references: Reference models without which it does not run.
        source: Paper and section.
    """

    access: Access
    least_references: int
    source: str


@dataclass(frozen=True, slots=True)
class MembershipTask:
    """All that an attacker knows of the candidate records. Who is a member is not in it.

    The records stand in a random order, and references were trained on halves drawn without regard to
    membership, so neither says anything about it.

    Attributes:
        target: (n, classes) float64 log-probabilities that the target gives to each record.
        labels: (n,) int64 true classes.
        references: (k, n) float64 log-probability of the true class under each reference model; k may be 0.
        included: (k, n) bool, whether the reference model was trained on the record.
        seed: For attacks that draw.
    """

    target: np.ndarray
    labels: np.ndarray
    references: np.ndarray
    included: np.ndarray
    seed: Seed

    @property
    def confidence(self) -> np.ndarray:
        """(n,) log-probability that the target gives to the true class."""
        return of_true_class(self.target, self.labels)


class MembershipAttack(Protocol):
    """A frozen dataclass of parameters with one function."""

    def infer(self, task: MembershipTask) -> np.ndarray:
        """(n,) membership scores: higher means more likely a member; only their order counts."""


privacy: Registry[Callable[..., MembershipAttack], PrivacyFacts] = Registry(
    "privacy attack",
    (
        "gambeson.attacks.privacy.entropy",
        "gambeson.attacks.privacy.learnt",
        "gambeson.attacks.privacy.lira",
        "gambeson.attacks.privacy.loss_threshold",
        "gambeson.attacks.privacy.rmia",
    ),
)


def of_true_class(log_probabilities: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """(n,) entries of the true classes of (n, classes)."""
    return np.take_along_axis(log_probabilities, labels[:, None], axis=1)[:, 0]


def require_references(task: MembershipTask, attack: str) -> None:
    """Refuse a task in which some record lacks a reference model with it or one without it.

    Raises:
        UsageError: There is such a record.
    """
    inside = task.included.sum(axis=0)
    if len(task.references) == 0 or not ((inside > 0) & (inside < len(task.included))).all():
        raise UsageError(
            f"{attack} was given {len(task.references)} reference models.",
            expected="at least one trained with and one without each record",
            remedy="train references in pairs on complementary halves",
        )
