"""Inversion of shared updates: what the gradient that a participant sends tells of the records behind it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from gambeson.attacks.privacy.inversion.priors import total_variation
from gambeson.core.errors import UsageError
from gambeson.core.reproduce import Seed


@dataclass(frozen=True, slots=True)
class Update:
    """What one participant shares: gradients of the mean cross-entropy, in the order of ``network.parameters()``."""

    gradients: tuple[Tensor, ...]


@dataclass(frozen=True, slots=True)
class Descent:
    """How to search for inputs with a given gradient.

    Attributes:
        steps: Of Adam.
        rate: Step size, of a range of 1.
        variation: Weight of the mean total variation, for pictures.
        low, high: Bounds of the inputs.
    """

    steps: int = 300
    rate: float = 0.1
    variation: float = 1e-4
    low: float = 0.0
    high: float = 1.0


def update_of(network: nn.Module, x: Tensor, y: Tensor) -> Update:
    """The update of a participant who holds these records.

    Args:
        network: Gives logits (n, classes); its parameters must require gradients.
        x: (n, *shape) records.
        y: (n,) int64 labels.
    """
    with torch.enable_grad():
        loss = F.cross_entropy(network(x), y)
        return Update(torch.autograd.grad(loss, tuple(network.parameters())))


def single_label(update: Update) -> int:
    """The label of the one record behind an update, exactly: the only class whose last bias has a negative gradient.

    Args:
        update: Of one record; its last gradient is that of the bias of the last layer.

    Source: Zhao et al. 2020 (iDLG), arXiv:2001.02610, section 3.1, for the bias.
    """
    return int(update.gradients[-1].argmin())


def read_first_layer(weight: Tensor, bias: Tensor) -> Tensor:
    """The one record behind the gradient of a first linear layer with bias, exactly.

    Every row of the weight's gradient is the record times the same row of the bias's gradient; the row with the
    largest bias gradient divides with least error.

    Args:
        weight: (outputs, inputs) gradient of the weights.
        bias: (outputs,) gradient of the bias.

    Returns:
        (inputs,) the record; of a batch, a weighted mean of its records.

    Raises:
        UsageError: Shapes that don't belong together, or a bias without gradient.

    Source: Phong et al. 2018, doi:10.1109/TIFS.2017.2787987, section 3; Geiping et al. 2020, proposition 3.1.
    """
    if weight.dim() != 2 or bias.shape != weight.shape[:1] or not bool((bias != 0).any()):
        raise UsageError(
            f"Gradients of shapes {tuple(weight.shape)} and {tuple(bias.shape)} cannot be read.",
            expected="(outputs, inputs) and (outputs,), the latter not all 0",
            remedy="use invert_update, which needs no such layer",
        )
    row = int(bias.abs().argmax())
    return weight[row] / bias[row]


def invert_update(
    network: nn.Module,
    update: Update,
    labels: Sequence[int],
    shape: tuple[int, ...],
    *,
    seed: Seed,
    descent: Descent | None = None,
) -> Tensor:
    """Inputs whose gradient points where the update points.

    Args:
        network: That the update belongs to, twice differentiable for a good result (ReLU will do, less well).
        update: Of the participant.
        labels: Of the records; for one record :func:`single_label` tells it.
        shape: Of one record.
        seed: Of the start.
        descent: How to search.

    Returns:
        (n, *shape) within the bounds, n the number of labels, in no particular order within a label.

    Raises:
        UsageError: The update does not fit the network.

    Source: Geiping et al. 2020, arXiv:2003.14053, equation 4 (cosine distance, total variation, signed gradients),
    after Zhu et al. 2019 (DLG), arXiv:1906.08935.
    """
    how = descent or Descent()
    parameters = tuple(network.parameters())
    if [p.shape for p in parameters] != [g.shape for g in update.gradients]:
        raise UsageError(
            f"The update has {len(update.gradients)} gradients, the network {len(parameters)} parameters.",
            expected="one gradient of the same shape for each parameter, in their order",
        )
    y = torch.tensor(list(labels))
    generator = torch.Generator().manual_seed(seed.integer())
    width = how.high - how.low
    x = (how.low + width * torch.rand(len(y), *shape, generator=generator)).requires_grad_(True)
    optimizer = torch.optim.Adam([x], lr=how.rate * width)
    schedule = torch.optim.lr_scheduler.MultiStepLR(
        optimizer, [how.steps * k // 8 for k in (3, 5, 7)], gamma=0.1
    )
    for _ in range(how.steps):
        with torch.enable_grad():
            loss = _distance(network, parameters, update, x, y)
            if len(shape) == 3:
                loss = loss + how.variation * total_variation((x - how.low) / width).mean()
            slope = torch.autograd.grad(loss, x)[0]
        x.grad = slope.sign()
        optimizer.step()
        schedule.step()
        with torch.no_grad():
            x.clamp_(how.low, how.high)
    return x.detach()


def _distance(
    network: nn.Module, parameters: tuple[Tensor, ...], update: Update, x: Tensor, y: Tensor
) -> Tensor:
    """1 minus the cosine between the gradient of the candidate and the update, over all parameters."""
    given = torch.autograd.grad(F.cross_entropy(network(x), y), parameters, create_graph=True)
    product = torch.stack([(a * b).sum() for a, b in zip(given, update.gradients, strict=True)]).sum()
    sizes = [torch.stack([g.square().sum() for g in side]).sum() for side in (given, update.gradients)]
    found: Tensor = 1 - product / (sizes[0] * sizes[1]).sqrt().clamp_min(1e-12)
    return found
