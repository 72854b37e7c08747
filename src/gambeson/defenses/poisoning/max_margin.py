"""Maximum margin (MM-BD): how sure of a class any input at all can make the model; no data are needed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from gambeson.data.schema import Schema
from gambeson.models.model import Differentiable


@dataclass(frozen=True, slots=True)
class Climb:
    """How margins are maximised.

    Attributes:
        starts: Random inputs for each class.
        steps: Of ascent.
    """

    starts: int = 12
    steps: int = 80


def max_margins(model: Differentiable, schema: Schema, climb: Climb, rng: np.random.Generator) -> np.ndarray:
    """The largest margin of every class over all others that ascent finds within the bounds.

    Args:
        model: Under suspicion.
        schema: Bounds and shape.
        climb: How.
        rng: Draws the starts.

    Returns:
        (classes,) float64 in units of logits.

    Source: Wang et al. 2024, MM-BD, arXiv:2205.06900, section IV. Deviation: all classes and starts climb in one
    batch, with signed Adam steps.
    """
    classes = model.info.classes
    low, high = (torch.from_numpy(bound) for bound in schema.bounds())
    share = rng.random((classes * climb.starts, *schema.shape), np.float32)
    x = (low + torch.from_numpy(share) * (high - low)).to(model.device)
    targets = torch.arange(classes).repeat_interleave(climb.starts).to(model.device)
    low, high = low.to(model.device), high.to(model.device)
    momentum = torch.zeros_like(x)
    best = torch.full((len(x),), -torch.inf)
    for step in range(climb.steps):
        x.requires_grad_(True)
        margins = _margins(model, x, targets)
        (slope,) = torch.autograd.grad(margins.sum(), x)
        best = torch.maximum(best, margins.detach().cpu())
        norm = slope.flatten(1).norm(dim=1).clamp_min(1e-12).view(-1, *(1,) * (x.dim() - 1))
        momentum = 0.9 * momentum + slope / norm
        reach = 0.1 * (1 - step / climb.steps) + 0.005
        x = (x.detach() + reach * momentum.sign() * (high - low)).clamp(low, high)
    return np.asarray(best.view(classes, -1).amax(1).double().numpy())


def _margins(model: Differentiable, x: Tensor, targets: Tensor) -> Tensor:
    """(n,) by how much each target's logit exceeds all others."""
    said = model.forward(x)
    if model.info.scores == "probabilities":
        said = said.clamp_min(1e-30).log()
    own = said.gather(1, targets[:, None])[:, 0]
    return own - said.scatter(1, targets[:, None], -torch.inf).amax(1)
