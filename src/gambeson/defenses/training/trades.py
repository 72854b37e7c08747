"""TRADES: accuracy on the rows, and answers that change little around them."""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from gambeson.defenses.training.adversary import Adversary
from gambeson.defenses.training.base import Batch, RecipeFacts, recipes
from gambeson.models.torch_trainee import Trainee


@recipes.register(
    "trades",
    RecipeFacts(
        "cross-entropy on the rows, and the divergence of attacked answers from theirs",
        source="Zhang et al. 2019, arXiv:1901.08573, eq. 5",
    ),
)
@dataclass(frozen=True, slots=True)
class TRADES:
    """Trades clean accuracy against robustness by one weight.

    Deviation: rows and attacked rows go through the network together, which matters to batch statistics alone.

    Attributes:
        beta: Weight of the divergence (1 / lambda in the paper).
        steps: Gradient steps of the attacker.
        reach: Length of all steps together, as a multiple of eps.
    """

    beta: float = 6.0
    steps: int = 10
    reach: float = 2.5

    def attack(self, network: Trainee, batch: Batch) -> Tensor:
        """PGD on the divergence from the answers to the rows, which is flat at the rows themselves."""
        with torch.no_grad():
            said = network(batch.x).softmax(1)
        return Adversary(self.steps, self.reach).climb(
            batch.ball, lambda x: F.kl_div(network(x).log_softmax(1), said, reduction="sum"), batch.begin
        )

    def loss(self, network: Trainee, batch: Batch, attacked: Tensor) -> Tensor:
        """Cross-entropy on the rows plus ``beta`` times the divergence."""
        clean, hard = torch.chunk(network(torch.cat([batch.x, attacked])), 2)
        apart = F.kl_div(hard.log_softmax(1), clean.softmax(1), reduction="batchmean")
        return F.cross_entropy(clean, batch.y) + self.beta * apart
