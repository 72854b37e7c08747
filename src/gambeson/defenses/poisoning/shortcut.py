"""Shortcut test: for each class the smallest single perturbation that turns every input into it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch.nn import functional as F

from gambeson.data.schema import Schema
from gambeson.models.model import Differentiable


@dataclass(frozen=True, slots=True)
class Descent:
    """How perturbations are searched for.

    Attributes:
        steps: Of Adam.
        rows: Inputs that each class sees at a step.
        success: Share of inputs that must become the class.
        rate: Step of the optimiser, as a share of the range of values.
    """

    steps: int = 150
    rows: int = 16
    success: float = 0.9
    rate: float = 0.02


@dataclass(frozen=True, slots=True)
class Shortcuts:
    """One perturbation for each class.

    Attributes:
        changes: (classes, *shape) float32 in input units, added and cut off at the bounds.
        sizes: (classes,) float64 root mean squares, as shares of the range of values.
    """

    changes: np.ndarray
    sizes: np.ndarray


def find_shortcuts(
    model: Differentiable, x: np.ndarray, schema: Schema, descent: Descent, rng: np.random.Generator
) -> Shortcuts:
    """Search the universal perturbations of all classes in one optimisation.

    Args:
        model: Under suspicion.
        x: (n, *shape) float32 clean inputs.
        schema: Bounds and shape.
        descent: How.
        rng: Draws the inputs of each step.

    Returns:
        For each class the smallest one that reached the success, or else the last one.

    Source: targeted universal perturbations as in Moosavi-Dezfooli et al. 2017, arXiv:1610.08401, judged per class as
    in Wang et al. 2020, Practical detection of trojan neural networks, arXiv:2007.15802 (data-limited detector).
    """
    classes = model.info.classes
    low, high = (torch.from_numpy(bound).to(model.device) for bound in schema.bounds())
    span = (high - low).clamp_min(1e-12)
    share = torch.zeros(classes, *schema.shape, device=model.device, requires_grad=True)
    optimizer = torch.optim.Adam([share], descent.rate)
    targets = torch.arange(classes, device=model.device).repeat_interleave(descent.rows)
    inputs = torch.from_numpy(np.ascontiguousarray(x))
    weight, rate = torch.full((classes,), 1.0), torch.zeros(classes)
    best, kept = torch.full((classes,), torch.inf), torch.zeros(classes, *schema.shape)
    for _ in range(descent.steps):
        rows = torch.from_numpy(rng.integers(0, len(x), classes * descent.rows))
        part = inputs[rows].to(model.device).view(classes, descent.rows, *schema.shape)
        moved = torch.clamp(part + (share * span)[:, None], low, high)
        said = model.forward(moved.view(-1, *schema.shape))
        if model.info.scores == "probabilities":
            said = said.clamp_min(1e-30).log()
        losses = F.cross_entropy(said, targets, reduction="none").view(classes, -1).mean(1)
        squares = share.flatten(1).square().mean(1)
        rate = 0.8 * rate + 0.2 * said.argmax(1).eq(targets).view(classes, -1).float().mean(1).cpu()
        good = rate >= descent.success
        sizes = squares.detach().cpu().sqrt()
        better = good & (sizes < best)
        best = torch.where(better, sizes, best)
        kept[better] = share.detach().cpu()[better]
        weight = torch.where(good, weight * 1.15, weight / 1.1).clamp(1e-2, 1e4)
        optimizer.zero_grad(set_to_none=True)
        torch.autograd.backward((losses + weight.to(model.device) * squares).sum())
        optimizer.step()
    never = ~torch.isfinite(best)
    kept[never] = share.detach().cpu()[never]
    final = kept.flatten(1).square().mean(1).sqrt()
    return Shortcuts((kept * span.cpu()).numpy(), final.double().numpy())
