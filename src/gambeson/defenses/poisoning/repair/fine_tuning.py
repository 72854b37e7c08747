"""Fine-tuning: a little more training on clean rows, moved about, with a step large enough to leave the backdoor."""

from __future__ import annotations

from dataclasses import dataclass

from torch.nn import functional as F

from gambeson.attacks.extraction.student import moved
from gambeson.defenses.poisoning.repair.base import RepairFacts, RepairTask, descend, repairs
from gambeson.models.torch_trainee import Trainee


@repairs.register(
    "fine_tuning",
    RepairFacts(
        summary="further training on clean rows",
        source="Liu et al. 2018, Fine-pruning, arXiv:1805.12185, section 3.2; super-fine-tuning of Sha et al. 2022, "
        "arXiv:2212.09067, for the size of the step",
    ),
)
@dataclass(frozen=True, slots=True)
class FineTuning:
    """Cross-entropy with Adam.

    Attributes:
        steps: Of the optimiser.
        rate: Its first step.
    """

    steps: int = 200
    rate: float = 3e-3

    def repair(self, network: Trainee, task: RepairTask) -> None:
        """Train on."""
        picture = task.schema.is_image
        descend(
            network,
            task,
            lambda x, y: F.cross_entropy(network(moved(x) if picture else x), y),
            steps=self.steps,
            rate=self.rate,
        )
