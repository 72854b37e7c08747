"""I-BAU: the network unlearns the worst universal perturbation, again and again."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from gambeson.defenses.poisoning.repair.base import RepairFacts, RepairTask, descend, repairs
from gambeson.models.torch_trainee import Trainee


@repairs.register(
    "implicit_unlearning",
    RepairFacts(
        summary="unlearns the worst universal perturbation of each round",
        source="Zeng et al. 2022, Adversarial unlearning of backdoors via implicit hypergradient, arXiv:2110.03735, "
        "algorithm 1; deviation: the first-order term of the hypergradient alone",
    ),
)
@dataclass(frozen=True, slots=True)
class ImplicitUnlearning:
    """Rounds of a universal perturbation within an l2 ball, then of training on rows with and without it.

    Attributes:
        rounds: Of both.
        reach: Root mean square of the perturbation, as a share of the range of values.
        inner: Steps of ascent.
        outer: Steps of descent in each round.
        rate: Of the descent.
    """

    rounds: int = 8
    reach: float = 0.2
    inner: int = 15
    outer: int = 25
    rate: float = 1e-3

    def repair(self, network: Trainee, task: RepairTask) -> None:
        """Unlearn."""
        low, high = (torch.from_numpy(bound) for bound in task.schema.bounds())
        for _ in range(self.rounds):
            change = self._worst(network, task, low, high)

            def loss(x: Tensor, y: Tensor, change: Tensor = change) -> Tensor:
                return F.cross_entropy(network(x), y) + F.cross_entropy(
                    network((x + change).clamp(low, high)), y
                )

            descend(network, task, loss, steps=self.outer, rate=self.rate)

    def _worst(self, network: Trainee, task: RepairTask, low: Tensor, high: Tensor) -> Tensor:
        """One perturbation that raises the loss of all rows most, (*shape)."""
        network.module.eval()
        radius = self.reach * float((high - low).square().mean().sqrt()) * low.numel() ** 0.5
        change: Tensor = torch.randn(low.shape) * radius / low.numel() ** 0.5 * 0.1
        for rows in task.batches(self.inner, 128):
            change.requires_grad_(True)
            said = network((task.x[rows] + change).clamp(low, high))
            (slope,) = torch.autograd.grad(F.cross_entropy(said, task.y[rows]), change)
            change = change.detach() + 0.25 * radius * slope / slope.norm().clamp_min(1e-12)
            change = change * min(1.0, radius / float(change.norm().clamp_min(1e-12)))
        return change.detach()
