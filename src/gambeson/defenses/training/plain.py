"""Plain training: cross-entropy on the rows as they are. What every other recipe is compared with."""

from __future__ import annotations

from dataclasses import dataclass

import torch.nn.functional as F
from torch import Tensor

from gambeson.defenses.training.base import Batch, RecipeFacts, Scores, recipes


@recipes.register("plain", RecipeFacts("cross-entropy on the rows as they are", source="none"))
@dataclass(frozen=True, slots=True)
class Plain:
    """No adversary.

    Attributes:
        smoothing: Share of each label that is spread over all classes (Szegedy et al. 2016).
    """

    smoothing: float = 0.0

    def attack(self, scores: Scores, batch: Batch) -> Tensor:
        """The rows themselves."""
        return batch.x

    def loss(self, scores: Scores, batch: Batch, attacked: Tensor) -> Tensor:
        """Mean cross-entropy."""
        return F.cross_entropy(scores(batch.x), batch.y, label_smoothing=self.smoothing)
