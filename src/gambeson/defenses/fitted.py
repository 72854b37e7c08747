"""Recipes for models that are fitted rather than trained by gradients: what they are, and what they give."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from gambeson.attacks.geometry import PerturbationSet
from gambeson.attacks.harness import Run
from gambeson.core.registry import Registry
from gambeson.data.dataset import Split
from gambeson.defenses.training.base import RecipeFacts
from gambeson.models.model import Savable


@dataclass(frozen=True, slots=True)
class Round:
    """What a round came to, on the held-out rows.

    Attributes:
        rows: Rows that the model was fitted to, adversarial ones included.
        right, stand: Held-out rows classified correctly, and still so under attack.
        held_out: How many there are.
    """

    rows: int
    right: int
    stand: int
    held_out: int


@dataclass(frozen=True, slots=True)
class Fitted:
    """The best model, and how it came about.

    Attributes:
        model: The model of the round that stands best under attack on held-out rows.
        rounds: Every round.
        complete: Whether all planned rounds were made.
    """

    model: Savable
    rounds: tuple[Round, ...]
    complete: bool


class FittedRecipe(Protocol):
    """A frozen dataclass of parameters that fits a model in some rounds."""

    @property
    def rounds(self) -> int:
        """Models that are fitted."""

    def check(self, model: Savable) -> None:
        """Refuse a model that it cannot fit.

        Raises:
            UsageError: It cannot.
        """

    def fit(
        self, model: Savable, split: Split, space: PerturbationSet, run: Run, note: Callable[[str], None]
    ) -> Fitted:
        """Fit models of the same kind.

        Args:
            model: Says what kind of model is fitted; it is left as it is.
            split: The training rows.
            space: What the attacker may change.
            run: Seeds, deadline, clock; ``run.report`` gets one for each round.
            note: Called with a line on each round.

        Raises:
            Unavailable: It does not know the perturbation set.
            ModelError: Fitting failed.
        """


fitted_recipes: Registry[Callable[..., FittedRecipe], RecipeFacts] = Registry(
    "fitted recipe", ("gambeson.defenses.augmentation", "gambeson.defenses.monotone")
)
