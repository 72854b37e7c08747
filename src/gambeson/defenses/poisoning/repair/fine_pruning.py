"""Fine-pruning: channels that clean inputs hardly use are silenced, then the network is trained on a little."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from gambeson.core.errors import Unavailable
from gambeson.defenses.poisoning.repair.base import RepairFacts, RepairTask, descend, hidden_layers, repairs
from gambeson.models.torch_trainee import Trainee


@repairs.register(
    "fine_pruning",
    RepairFacts(
        summary="prunes channels that clean rows do not use, then fine-tunes",
        source="Liu et al. 2018, Fine-pruning, arXiv:1805.12185, section 3",
    ),
)
@dataclass(frozen=True, slots=True)
class FinePruning:
    """Prunes the last convolution (or hidden layer) until clean accuracy falls by more than ``loss``.

    Attributes:
        loss: Accuracy on the clean rows that may be lost to pruning.
        steps: Of the training that follows.
        rate: Its first step.
    """

    loss: float = 0.04
    steps: int = 150
    rate: float = 1e-3

    def repair(self, network: Trainee, task: RepairTask) -> None:
        """Prune and train on.

        Raises:
            Unavailable: The network has no hidden layer.
        """
        layers = hidden_layers(network.module)
        if not layers:
            raise Unavailable("The network has no hidden layer that could be pruned.")
        convolutions = [found for _, found in layers if isinstance(found, nn.Conv2d)]
        layer: Any = convolutions[-1] if convolutions else layers[-1][1]
        order = _activity(network, layer, task.x).argsort()
        before = _accuracy(network, task)
        for channel in order[:-1].tolist():
            kept = (
                layer.weight[channel].detach().clone(),
                None if layer.bias is None else layer.bias[channel].clone(),
            )
            with torch.no_grad():
                layer.weight[channel] = 0
                if layer.bias is not None:
                    layer.bias[channel] = 0
                if _accuracy(network, task) < before - self.loss:
                    layer.weight[channel] = kept[0]
                    if kept[1] is not None:
                        layer.bias[channel] = kept[1]
                    break
        silent = layer.weight.detach().flatten(1).abs().sum(1) == 0
        descend(network, task, lambda x, y: F.cross_entropy(network(x), y), steps=self.steps, rate=self.rate)
        with torch.no_grad():
            layer.weight[silent] = 0


def _activity(network: Trainee, layer: nn.Module, x: Tensor) -> Tensor:
    """(channels,) mean positive output of a layer."""
    seen: list[Tensor] = []
    handle = layer.register_forward_hook(lambda module, given, out: seen.append(out.detach()))
    try:
        with torch.no_grad():
            network(x)
    finally:
        handle.remove()
    out = seen[0].relu()
    return out.mean(dim=[d for d in range(out.dim()) if d != 1])


def _accuracy(network: Trainee, task: RepairTask) -> float:
    with torch.no_grad():
        return float((network(task.x).argmax(1) == task.y).float().mean())
