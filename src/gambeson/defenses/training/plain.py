"""Plain training: cross-entropy on the rows as they are. What every other recipe is compared with."""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from gambeson.defenses.training.base import Batch, RecipeFacts, recipes
from gambeson.models.torch_trainee import Trainee


@recipes.register("plain", RecipeFacts("cross-entropy on the rows as they are", source="none"))
@dataclass(frozen=True, slots=True)
class Plain:
    """No adversary.

    Attributes:
        smoothing: Share of each label that is spread over all classes (Szegedy et al. 2016).
    """

    smoothing: float = 0.0

    def attack(self, network: Trainee, batch: Batch) -> Tensor:
        """The rows themselves."""
        return batch.x

    def loss(self, network: Trainee, batch: Batch, attacked: Tensor) -> Tensor:
        """Mean cross-entropy, of an ensemble summed over its members: each is trained as if it were alone."""
        losses = [
            F.cross_entropy(member(batch.x), batch.y, label_smoothing=self.smoothing)
            for member in network.members
        ]
        return torch.stack(losses).sum()
