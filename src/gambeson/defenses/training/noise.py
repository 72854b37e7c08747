"""Training with noise: what a classifier needs whose vote over noisy copies is to be certified."""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from gambeson.core.errors import UsageError
from gambeson.defenses.training.base import Batch, RecipeFacts, recipes
from gambeson.models.torch_trainee import Trainee


@recipes.register(
    "smoothing",
    RecipeFacts(
        "rows with Gaussian noise, for randomised smoothing: its certificates stand in the report",
        source="Cohen, Rosenfeld & Kolter 2019, arXiv:1902.02918, section 3.3",
    ),
)
@dataclass(frozen=True, slots=True)
class NoiseTraining:
    """No attacker: each row is met with fresh noise, which may leave the bounds of the data as it does when certified.

    Attributes:
        sigma: Standard deviation of the noise, in input units.
        certify: Most test rows whose vote is certified afterwards.
        copies: Noisy copies of each of them.

    Raises:
        UsageError: A value is out of range.
    """

    sigma: float = 0.25
    certify: int = 200
    copies: int = 1_000

    def __post_init__(self) -> None:
        if not (0 < self.sigma < float("inf")) or self.certify < 1 or self.copies < 1:
            raise UsageError(
                f"smoothing was asked for sigma {self.sigma}, {self.certify} rows and {self.copies} copies.",
                expected="a noise above 0, and at least 1 of each",
            )

    def attack(self, network: Trainee, batch: Batch) -> Tensor:
        """The rows with noise."""
        return batch.x + self.sigma * torch.randn_like(batch.x)

    def loss(self, network: Trainee, batch: Batch, attacked: Tensor) -> Tensor:
        """Mean cross-entropy on the noisy rows."""
        return F.cross_entropy(network(attacked), batch.y)
