"""What a repair is: one function from a network with a backdoor and clean rows to one without."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor, nn

from gambeson.core.registry import Registry
from gambeson.core.reproduce import Seed
from gambeson.data.schema import Schema
from gambeson.defenses.poisoning.shortcut import Shortcuts
from gambeson.defenses.poisoning.trigger_search import Triggers
from gambeson.models.torch_trainee import Trainee


@dataclass(frozen=True, slots=True)
class RepairFacts:
    """What a repair declares.

    Attributes:
        summary: What it does, in a few words.
        source: Paper and section.
    """

    summary: str
    source: str


@dataclass(frozen=True, slots=True)
class RepairTask:
    """All that a repair may use.

    Attributes:
        x: (n, *shape) float32 clean inputs on the network's device.
        y: (n,) int64 labels.
        schema: Bounds and classes.
        triggers: Reconstructed patch of every class.
        shortcuts: Universal perturbation of every class.
        seed: Of everything that is drawn.
    """

    x: Tensor
    y: Tensor
    schema: Schema
    triggers: Triggers
    shortcuts: Shortcuts
    seed: Seed

    def batches(self, steps: int, size: int = 64) -> list[Tensor]:
        """Row numbers of so many steps; draws from torch's generator."""
        rows = min(size, len(self.y))
        order = [torch.randperm(len(self.y)) for _ in range(-(-steps * rows // len(self.y)))]
        return list(torch.split(torch.cat(order)[: steps * rows], rows))


class Repair(Protocol):
    """A frozen dataclass of parameters with one function."""

    def repair(self, network: Trainee, task: RepairTask) -> None:
        """Change the network's weights in place; torch's generator is seeded."""


repairs: Registry[Callable[..., Repair], RepairFacts] = Registry(
    "repair",
    (
        "gambeson.defenses.poisoning.repair.fine_pruning",
        "gambeson.defenses.poisoning.repair.fine_tuning",
        "gambeson.defenses.poisoning.repair.implicit_unlearning",
        "gambeson.defenses.poisoning.repair.neuron_pruning",
        "gambeson.defenses.poisoning.repair.sharpness",
        "gambeson.defenses.poisoning.repair.trigger_unlearning",
    ),
)


def descend(
    network: Trainee,
    task: RepairTask,
    loss: Callable[[Tensor, Tensor], Tensor],
    *,
    steps: int,
    rate: float,
) -> None:
    """Minimise a loss of batches ``(x, y)`` with Adam, the step falling to zero."""
    optimizer = torch.optim.Adam(network.module.parameters(), rate)
    pace = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
    network.module.train()
    for rows in task.batches(steps):
        optimizer.zero_grad(set_to_none=True)
        torch.autograd.backward(loss(task.x[rows], task.y[rows]))
        optimizer.step()
        pace.step()
    network.module.eval()


def hidden_layers(module: nn.Module) -> list[tuple[str, nn.Conv2d | nn.Linear]]:
    """Layers with channels or units that can be silenced: convolutions and linear layers, but for the last one."""
    layers = [(n, m) for n, m in module.named_modules() if isinstance(m, nn.Conv2d | nn.Linear)]
    return layers[:-1]
