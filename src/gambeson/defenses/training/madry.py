"""PGD adversarial training: cross-entropy on the worst inputs that a few steps of PGD find; or one step."""

from __future__ import annotations

from dataclasses import dataclass

import torch.nn.functional as F
from torch import Tensor

from gambeson.defenses.training.adversary import Adversary
from gambeson.defenses.training.base import Batch, RecipeFacts, recipes
from gambeson.models.torch_trainee import Trainee


@recipes.register(
    "pgd",
    RecipeFacts("cross-entropy on inputs attacked by PGD", source="Madry et al. 2018, arXiv:1706.06083"),
)
@dataclass(frozen=True, slots=True)
class PGDTraining:
    """Minimises the loss that the attacker maximises.

    Attributes:
        steps: Gradient steps of the attacker.
        reach: Length of all steps together, as a multiple of eps.
        smoothing: Share of each label that is spread over all classes.
        start: Radius of the random start, as a fraction of eps; 0 starts at the row itself.
    """

    steps: int = 7
    reach: float = 2.5
    smoothing: float = 0.0
    start: float = 1.0

    def attack(self, network: Trainee, batch: Batch) -> Tensor:
        """PGD on the cross-entropy."""
        return Adversary(self.steps, self.reach, self.start).climb(
            batch.ball, lambda x: F.cross_entropy(network(x), batch.y, reduction="sum"), batch.begin
        )

    def loss(self, network: Trainee, batch: Batch, attacked: Tensor) -> Tensor:
        """Mean cross-entropy on the attacked rows."""
        return F.cross_entropy(network(attacked), batch.y, label_smoothing=self.smoothing)


@recipes.register(
    "fast",
    RecipeFacts(
        "PGD training with a single step, for about twice the price of plain training",
        source="Wong, Rice & Kolter 2020, arXiv:2001.03994",
    ),
)
def fast(reach: float = 1.25, smoothing: float = 0.0, start: float = 1.0) -> PGDTraining:
    """One step from a random start; prone to catastrophic overfitting, against which the loop guards.

    Args:
        reach: Length of the step, as a multiple of eps.
        smoothing: Share of each label that is spread over all classes.
        start: Radius of the random start, as a fraction of eps; 0 is FGSM training, which overfits soonest.
    """
    return PGDTraining(1, reach, smoothing, start)
