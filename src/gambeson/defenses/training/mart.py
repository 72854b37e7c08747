"""MART: like TRADES, with more weight on rows that the network gets wrong even without an attacker."""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from gambeson.defenses.training.adversary import Adversary
from gambeson.defenses.training.base import Batch, RecipeFacts, recipes
from gambeson.models.torch_trainee import Trainee

_TINY = 1e-4


@recipes.register(
    "mart",
    RecipeFacts(
        "boosted cross-entropy on attacked inputs, and their divergence weighted by misclassification",
        source="Wang et al. 2020, openreview rklOg6EFwS, eq. 11",
    ),
)
@dataclass(frozen=True, slots=True)
class MART:
    """Misclassification-aware training.

    Attributes:
        beta: Weight of the divergence (lambda in the paper).
        steps: Gradient steps of the attacker.
        reach: Length of all steps together, as a multiple of eps.
    """

    beta: float = 5.0
    steps: int = 10
    reach: float = 2.5

    def attack(self, network: Trainee, batch: Batch) -> Tensor:
        """PGD on the cross-entropy."""
        return Adversary(self.steps, self.reach).climb(
            batch.ball, lambda x: F.cross_entropy(network(x), batch.y, reduction="sum"), batch.begin
        )

    def loss(self, network: Trainee, batch: Batch, attacked: Tensor) -> Tensor:
        """Boosted cross-entropy plus ``beta`` times the weighted divergence."""
        clean, hard = torch.chunk(network(torch.cat([batch.x, attacked])).softmax(1), 2)
        right, column = hard.gather(1, batch.y[:, None])[:, 0], batch.y[:, None]
        other = hard.scatter(1, column, 0.0).amax(1)
        boosted = -(right + 1e-12).log() - (1 - other + _TINY).log()
        apart = (clean * ((clean + 1e-12).log() - (hard + 1e-12).log())).sum(1)
        doubt = 1 - clean.gather(1, column)[:, 0]
        return (boosted + self.beta * apart * doubt).mean()
