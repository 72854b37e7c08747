"""How a network in training stands on rows that it is not trained on."""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from gambeson.attacks.geometry import PerturbationSet
from gambeson.defenses.training.adversary import Adversary
from gambeson.models.torch_trainee import Trainee

_ROWS = 256
"""Rows of one pass."""


@dataclass(frozen=True, slots=True)
class Standing:
    """Counts over n rows. A guide for the training, no verdict: that is the audit's.

    Attributes:
        rows: n.
        right: Rows classified correctly.
        stand: Rows still classified correctly under PGD.
        flat: Rows at which the gradient of the loss is zero or no number: PGD is blind there.
    """

    rows: int
    right: int
    stand: int
    flat: int

    @property
    def clean(self) -> float:
        """Accuracy."""
        return self.right / self.rows

    @property
    def robust(self) -> float:
        """Accuracy under PGD."""
        return self.stand / self.rows

    @property
    def masked(self) -> bool:
        """Whether PGD is blind on most rows that stand: robustness then means nothing."""
        return 2 * self.flat > max(self.stand, 1)


def look(network: Trainee, x: Tensor, y: Tensor, space: PerturbationSet, adversary: Adversary) -> Standing:
    """Count on rows of the network's device; it is left in the mode that it was in.

    Args:
        network: In any mode; looked at in evaluation mode.
        x: (n, *shape) rows.
        y: (n,) labels.
        space: What the attacker may change.
        adversary: Its steps.
    """
    before, counts = network.module.training, torch.zeros(3, dtype=torch.int64)
    network.module.eval()
    for rows, labels in zip(torch.split(x, _ROWS), torch.split(y, _ROWS), strict=True):
        counts += _count(network, rows, labels, space, adversary)
    network.module.train(before)
    right, stand, flat = counts.tolist()
    return Standing(len(x), right, stand, flat)


def _count(network: Trainee, x: Tensor, y: Tensor, space: PerturbationSet, adversary: Adversary) -> Tensor:
    def loss(inputs: Tensor) -> Tensor:
        return F.cross_entropy(network(inputs), y, reduction="sum")

    attacked = adversary.climb(space.around(x), loss)
    at = attacked.clone().requires_grad_(True)
    (slope,) = torch.autograd.grad(loss(at), at)
    steepness = slope.flatten(1).abs().amax(1)
    with torch.no_grad():
        right = network(x).argmax(1) == y
        stand = right & (network(attacked).argmax(1) == y)
    blind = stand & ~(steepness > 0)
    return torch.stack([right.sum(), stand.sum(), blind.sum()]).cpu()
