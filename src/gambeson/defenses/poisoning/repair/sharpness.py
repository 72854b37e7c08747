"""FT-SAM: fine-tuning that looks for flat minima moves the weights that a backdoor lives in."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch.nn import functional as F

from gambeson.attacks.extraction.student import moved
from gambeson.defenses.poisoning.repair.base import RepairFacts, RepairTask, repairs
from gambeson.models.torch_trainee import Trainee


@repairs.register(
    "sharpness",
    RepairFacts(
        summary="fine-tunes with sharpness-aware minimisation",
        source="Zhu et al. 2023, Enhancing fine-tuning based backdoor defense with sharpness-aware minimization, "
        "arXiv:2304.11823, section 4.2 (adaptive perturbation)",
    ),
)
@dataclass(frozen=True, slots=True)
class Sharpness:
    """Each step descends along the gradient at the worst nearby weights, nearby in proportion to their size.

    Attributes:
        rho: Size of the perturbation.
        steps: Of the optimiser.
        rate: Its first step.
    """

    rho: float = 2.0
    steps: int = 200
    rate: float = 3e-3

    def repair(self, network: Trainee, task: RepairTask) -> None:
        """Train on, sharpness-aware."""
        parameters = [p for p in network.module.parameters() if p.requires_grad]
        optimizer = torch.optim.Adam(parameters, self.rate)
        pace = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, self.steps)
        network.module.train()
        for rows in task.batches(self.steps):
            x, y = task.x[rows], task.y[rows]
            x = moved(x) if task.schema.is_image else x
            slopes = torch.autograd.grad(F.cross_entropy(network(x), y), parameters)
            sizes = [p.detach().abs() for p in parameters]
            norm = torch.stack([(s * g).norm() for s, g in zip(sizes, slopes, strict=True)]).norm() + 1e-12
            steps = [self.rho * s * s * g / norm for s, g in zip(sizes, slopes, strict=True)]
            with torch.no_grad():
                for parameter, step in zip(parameters, steps, strict=True):
                    parameter.add_(step)
            optimizer.zero_grad(set_to_none=True)
            torch.autograd.backward(F.cross_entropy(network(x), y))
            with torch.no_grad():
                for parameter, step in zip(parameters, steps, strict=True):
                    parameter.sub_(step)
            optimizer.step()
            pace.step()
        network.module.eval()
