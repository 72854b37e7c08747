"""What an extraction attack is: one function that spends a purse on answers and makes a copy of the model of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from torch import Tensor

from gambeson.attacks.extraction.purse import Purse
from gambeson.core.registry import Registry
from gambeson.core.reproduce import Seed
from gambeson.core.threat import Access
from gambeson.data.schema import Schema
from gambeson.models.model import Model


@dataclass(frozen=True, slots=True)
class ExtractionFacts:
    """What an extraction attack declares.

    Attributes:
        access: Access without which it does not run; with more it learns more.
        source: Paper and section.
        pool: Whether it needs inputs of its own.
    """

    access: Access
    source: str
    pool: bool = True


@dataclass(frozen=True, slots=True)
class Theft:
    """All that an attacker knows before the first query.

    Attributes:
        x: (n, *shape) float32, inputs of his own in random order; may be empty.
        y: (n,) int64, what he holds to be their classes, which need not be the model's.
        schema: Shape and bounds.
        classes: Number of classes.
        student: What he trains: ``"network"`` or ``"trees"``.
        updates: Optimiser steps of the last training of a network.
        seed: Of everything he draws.
    """

    x: Tensor
    y: Tensor
    schema: Schema
    classes: int
    student: str
    updates: int
    seed: Seed


class ExtractionAttack(Protocol):
    """A frozen dataclass of parameters with one function."""

    def extract(self, purse: Purse, theft: Theft) -> Model:
        """A copy trained on at most as many answers as the purse has.

        Raises:
            InsufficientEvidence: The purse has too few, or the attacker has no inputs.
            ModelError: The model answered with something unusable, or training diverged.
        """


extraction: Registry[Callable[..., ExtractionAttack], ExtractionFacts] = Registry(
    "extraction attack",
    (
        "gambeson.attacks.extraction.active",
        "gambeson.attacks.extraction.data_free",
        "gambeson.attacks.extraction.jacobian",
        "gambeson.attacks.extraction.knockoff",
        "gambeson.attacks.extraction.knockoff_adaptive",
        "gambeson.attacks.extraction.semi_supervised",
    ),
)
