"""What a recipe of private training is, and those there are."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from gambeson.core.registry import Registry
from gambeson.defenses.private.plan import PrivatePlan
from gambeson.defenses.training.base import RecipeFacts

_EPOCHS, _FULL_STEPS = 40, 100
_FEWEST_ROWS, _SHARE = 256, 100


@dataclass(frozen=True, slots=True)
class PrivateRecipe:
    """Parameters of a private training that a user chooses; none of them by trying it on the private records.

    Attributes:
        epsilon: The promise.
        delta: The promise; ``None`` for a power of ten below one over the records.
        clip: Largest norm that the gradient of a row keeps.
        learning_rate: Of steps along the noisy mean gradient.
        momentum: Of these steps.
        average: Decay of the running mean of the weights; 0 for none.
        at_once: Most rows that are computed at once.
        full: Every step is made on all rows: for linear models.
        moments_noise: Noise multiplier of means and of squares for a layer that standardises.
        replace: Replace batch by group normalisation, which makes another network.
        public: Begin with the given weights, which were made without these records; else with new ones.
        repeatable: Draw rows and noise from the seed: for research, never for a release.
        self_test: Test this installation by canaries first.
    """

    epsilon: float = 3.0
    delta: float | None = None
    clip: float = 0.1
    learning_rate: float = 0.5
    momentum: float = 0.9
    average: float = 0.99
    at_once: int = 1_024
    full: bool = False
    moments_noise: float = 8.0
    replace: bool = False
    public: bool = False
    repeatable: bool = False
    self_test: bool = True

    def plan(self, records: int, epochs: int | None, batch: int | None) -> PrivatePlan:
        """How to train on so many records; where epochs or batch are not given, their number alone decides."""
        usual = records if self.full else min(records, max(_FEWEST_ROWS, records // _SHARE))
        passes = _FULL_STEPS if self.full else _EPOCHS
        return PrivatePlan(
            epsilon=self.epsilon,
            delta=self.delta,
            epochs=passes if epochs is None else epochs,
            batch=usual if batch is None else batch,
            clip=self.clip,
            learning_rate=self.learning_rate,
            momentum=self.momentum,
            average=self.average,
            at_once=self.at_once,
        )


private_recipes: Registry[Callable[..., PrivateRecipe], RecipeFacts] = Registry("private recipe")

private_recipes.register(
    "private",
    RecipeFacts(
        "gradients clipped row by row, with noise: little can be learnt of any one record (DP-SGD)",
        source="Abadi et al. 2016, arXiv:1607.00133",
    ),
)(PrivateRecipe)


@private_recipes.register(
    "private_regression",
    RecipeFacts(
        "private training of linear models: noisy gradient descent on all rows at once",
        source="Bassily, Smith & Thakurta 2014, arXiv:1405.7085 (noisy gradient descent), with all rows in each step",
    ),
)
@dataclass(frozen=True, slots=True)
class PrivateRegression(PrivateRecipe):
    """Defaults for logistic regression on features between 0 and 1, such as ``encoding.Encode`` gives."""

    clip: float = 1.0
    learning_rate: float = 2.0
    average: float = 0.9
    full: bool = True
