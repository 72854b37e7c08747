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

_SMALLEST = 1e-12
"""Of 1 - p: an answer of 1 has a finite logit."""


@dataclass(frozen=True, slots=True)
class PrivacyFacts:
    """What a privacy attack declares.

    Attributes:
        access: Access to the target that it needs.
        least_references: Reference models without which it does not run.
        source: Paper and section.
        needs_outsiders: Whether it needs other records of which it knows that they are no members.
    """

    access: Access
    least_references: int
    source: str
    needs_outsiders: bool = False


@dataclass(frozen=True, slots=True)
class Outsiders:
    """Records known to be no members; none of them is a candidate.

    Attributes:
        target: (m, classes) float64 log-probabilities that the target gives.
        labels: (m,) int64 true classes.
        features: (m, d) float32.
    """

    target: np.ndarray
    labels: np.ndarray
    features: np.ndarray


@dataclass(frozen=True, slots=True)
class MembershipTask:
    """All that an attacker knows of the candidate records. Who is a member is not in it.

    The records stand in a random order, and references were trained on halves drawn without regard to
    membership, so neither says anything about it.

    Attributes:
        target: (n, classes) float64 log-probabilities that the target gives to each record.
        labels: (n,) int64 true classes.
        answers: (k, n, classes) float32 log-probabilities that each reference model gives; k may be 0.
        included: (k, n) bool, whether the reference model was trained on the record.
        features: (n, d) float32, the records themselves, projected where they are large; d may be 0.
        outsiders: Records known to be no members, for attacks that declare that they need them.
        seed: For attacks that draw.
    """

    target: np.ndarray
    labels: np.ndarray
    answers: np.ndarray
    included: np.ndarray
    features: np.ndarray
    outsiders: Outsiders | None
    seed: Seed

    @property
    def confidence(self) -> np.ndarray:
        """(n,) log-probability that the target gives to the true class."""
        return of_true_class(self.target, self.labels)

    @property
    def references(self) -> np.ndarray:
        """(k, n) float64 log-probability of the true class under each reference model."""
        if not len(self.answers):
            return np.empty((0, len(self.labels)))
        return of_true_class(self.answers, self.labels)


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
        "gambeson.attacks.privacy.quantile",
        "gambeson.attacks.privacy.rmia",
        "gambeson.attacks.privacy.shadows",
    ),
)


def of_true_class(log_probabilities: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """(..., n) float64 entries of the true classes of (..., n, classes)."""
    return log_probabilities[..., np.arange(len(labels)), labels].astype(np.float64)


def logits_of(log_probability: np.ndarray) -> np.ndarray:
    """log(p / (1 - p)): confidences as losses leave them, near 1, become roughly normal."""
    rest = np.maximum(-np.expm1(log_probability), _SMALLEST)
    return np.asarray(log_probability - np.log(rest))


def require_references(task: MembershipTask, attack: str) -> None:
    """Refuse a task in which some record lacks a reference model with it or one without it.

    Raises:
        UsageError: There is such a record.
    """
    inside = task.included.sum(axis=0)
    if len(task.answers) == 0 or not ((inside > 0) & (inside < len(task.included))).all():
        raise UsageError(
            f"{attack} was given {len(task.answers)} reference models.",
            expected="at least one trained with and one without each record",
            remedy="train references in pairs on complementary halves",
        )
