"""Adversarial neuron pruning (ANP): units whose small change brings the backdoor out are silenced."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.func import functional_call
from torch.nn import functional as F

from gambeson.core.errors import Unavailable
from gambeson.defenses.poisoning.repair.base import RepairFacts, RepairTask, hidden_layers, repairs
from gambeson.models.torch_answer import logits
from gambeson.models.torch_trainee import Trainee


@repairs.register(
    "neuron_pruning",
    RepairFacts(
        summary="prunes units that react to adversarial changes of weights",
        source="Wu & Wang 2021, Adversarial neuron pruning, arXiv:2110.14430, algorithm 1; deviation: masks on the "
        "outputs of convolutions and linear layers, Adam for the masks",
    ),
)
@dataclass(frozen=True, slots=True)
class NeuronPruning:
    """Masks are learnt under the worst small change of all units, and cut off at a threshold.

    Attributes:
        eps: Largest relative change of a unit's weights and bias.
        alpha: Weight of the loss without changes; the rest goes to that with them.
        steps: Of the masks' optimiser.
        threshold: Masks below it silence their unit.
    """

    eps: float = 0.4
    alpha: float = 0.2
    steps: int = 120
    threshold: float = 0.2

    def repair(self, network: Trainee, task: RepairTask) -> None:
        """Silence units.

        Raises:
            Unavailable: The network has no hidden layer.
        """
        layers = hidden_layers(network.module)
        if not layers:
            raise Unavailable("The network has no hidden layer whose units could be silenced.")
        weights = {name: value.detach() for name, value in network.module.named_parameters()}
        buffers = dict(network.module.named_buffers())
        names = [f"{name}.weight" if name else "weight" for name, _ in layers]
        masks = [torch.ones(len(weights[name]), requires_grad=True) for name in names]
        optimizer = torch.optim.Adam(masks, 0.05)
        network.module.eval()

        def loss(x: Tensor, y: Tensor, changes: list[Tensor] | None) -> Tensor:
            changed = dict(weights)
            for place, name in enumerate(names):
                factor = masks[place] if changes is None else masks[place] + changes[place]
                changed[name] = weights[name] * factor.view(-1, *(1,) * (weights[name].dim() - 1))
            raw = functional_call(network.module, {**changed, **buffers}, (x,))
            return F.cross_entropy(logits(raw, network.answer), y)

        for rows in task.batches(self.steps):
            x, y = task.x[rows], task.y[rows]
            changes = [
                ((2 * torch.rand_like(mask) - 1) * self.eps).detach().requires_grad_(True) for mask in masks
            ]
            slopes = torch.autograd.grad(loss(x, y, changes), changes)
            worst = [
                (change + self.eps * slope.sign()).clamp(-self.eps, self.eps).detach()
                for change, slope in zip(changes, slopes, strict=True)
            ]
            optimizer.zero_grad(set_to_none=True)
            total = self.alpha * loss(x, y, None) + (1 - self.alpha) * loss(x, y, worst)
            torch.autograd.backward(total, inputs=masks)
            optimizer.step()
            with torch.no_grad():
                for mask in masks:
                    mask.clamp_(0, 1)
        self._silence(network, names, masks)

    def _silence(self, network: Trainee, names: list[str], masks: list[Tensor]) -> None:
        parameters = dict(network.module.named_parameters())
        with torch.no_grad():
            for name, mask in zip(names, masks, strict=True):
                silent = mask < self.threshold
                parameters[name][silent] = 0
                bias = parameters.get(name.removesuffix("weight") + "bias")
                if bias is not None:
                    bias[silent] = 0
