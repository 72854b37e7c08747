"""Neural Cleanse with all classes at once: for each class the smallest patch that turns every input into it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from gambeson.data.schema import Schema
from gambeson.models.model import Differentiable

_WIDE = 4.0
"""Logits of masks and patterns stay within plus and minus this: further out their gradients vanish."""


@dataclass(frozen=True, slots=True)
class Search:
    """How triggers are searched for.

    Attributes:
        steps: Of Adam.
        rows: Inputs that each class sees at a step.
        success: Share of inputs that must become the class for a trigger to count.
        rate: Step of the optimiser.
    """

    steps: int = 200
    rows: int = 16
    success: float = 0.95
    rate: float = 0.1


@dataclass(frozen=True, slots=True)
class Triggers:
    """One trigger for each class: ``x`` becomes ``(1 - mask) * x + mask * pattern``.

    Attributes:
        masks: (classes, 1, H, W) or (classes, d) float32 in [0, 1].
        patterns: (classes, *shape) float32 in input units.
        sizes: (classes,) float64 sums of the masks.
        success: (classes,) float64 share of the last inputs that became the class.
    """

    masks: np.ndarray
    patterns: np.ndarray
    sizes: np.ndarray
    success: np.ndarray

    def stamp(self, x: np.ndarray, label: int) -> np.ndarray:
        """Inputs (n, *shape) with the trigger of a class."""
        mask = self.masks[label]
        return np.asarray((1 - mask) * x + mask * self.patterns[label], np.float32)


def find_triggers(
    model: Differentiable,
    x: np.ndarray,
    schema: Schema,
    search: Search,
    rng: np.random.Generator,
    labels: np.ndarray | None = None,
) -> Triggers:
    """Search the triggers of all classes in one optimisation.

    Args:
        model: Under suspicion.
        x: (n, *shape) float32 clean inputs; a few hundred are enough.
        schema: Bounds and classes.
        search: How.
        rng: Draws the inputs of each step and the start.
        labels: Classes to search for; all unless given.

    Returns:
        For each of ``labels`` the smallest trigger that reached the success asked for, or else the last one.

    Source: Wang et al. 2019, Neural Cleanse, section IV.B and the dynamic weight of its code. Deviation: all classes
    share each step, and each sees few inputs of it.
    """
    wanted = np.arange(model.info.classes) if labels is None else labels
    state = _Start.of(schema, len(wanted), rng, search)
    targets = torch.from_numpy(np.repeat(wanted, search.rows)).to(model.device)
    inputs = torch.from_numpy(np.ascontiguousarray(x))
    for _ in range(search.steps):
        rows = torch.from_numpy(rng.integers(0, len(x), len(wanted) * search.rows))
        state.step(model, inputs[rows].to(model.device), targets)
    return state.best()


class _Start:
    """Masks, patterns, weights and the best found so far; one row for each class."""

    def __init__(
        self, masks: Tensor, patterns: Tensor, bounds: tuple[Tensor, Tensor], search: Search
    ) -> None:
        self._masks, self._patterns = masks.requires_grad_(True), patterns.requires_grad_(True)
        self._low, self._high = bounds
        self._search = search
        self._optimizer = torch.optim.Adam([masks, patterns], search.rate, betas=(0.5, 0.9))
        count = len(masks)
        self._weight = torch.full((count,), 1e-3)
        self._rate = torch.zeros(count)
        self._streak = torch.zeros(count)
        self._best = [torch.full((count,), torch.inf), torch.sigmoid(masks.detach()), self._values().detach()]

    @classmethod
    def of(cls, schema: Schema, count: int, rng: np.random.Generator, search: Search) -> _Start:
        shape = (1, *schema.shape[1:]) if len(schema.shape) == 3 else schema.shape
        masks = torch.from_numpy(rng.normal(-1, 0.1, (count, *shape)).astype(np.float32))
        patterns = torch.from_numpy(rng.normal(0, 0.5, (count, *schema.shape)).astype(np.float32))
        low, high = (torch.from_numpy(bound) for bound in schema.bounds())
        return cls(masks, patterns, (low, high), search)

    def _values(self) -> Tensor:
        return self._low + torch.sigmoid(self._patterns) * (self._high - self._low)

    def step(self, model: Differentiable, x: Tensor, targets: Tensor) -> None:
        """One step of every class; remembers what was good enough before it."""
        masks, values = torch.sigmoid(self._masks), self._values()
        n = self._search.rows
        mixed = x.view(len(masks), n, *x.shape[1:])
        mixed = (1 - masks[:, None]) * mixed + masks[:, None] * values[:, None]
        said = model.forward(mixed.reshape(x.shape).to(model.device)).cpu()
        losses = F.cross_entropy(said, targets.cpu(), reduction="none").view(len(masks), n).mean(1)
        sizes = masks.flatten(1).sum(1)
        self._look(
            said.argmax(1).eq(targets.cpu()).view(len(masks), n).float().mean(1),
            sizes.detach(),
            masks,
            values,
        )
        self._optimizer.zero_grad(set_to_none=True)
        torch.autograd.backward((losses + self._weight * sizes).sum())
        self._optimizer.step()
        with torch.no_grad():
            self._masks.clamp_(-_WIDE, _WIDE)
            self._patterns.clamp_(-_WIDE, _WIDE)

    def _look(self, right: Tensor, sizes: Tensor, masks: Tensor, values: Tensor) -> None:
        """Keep what is smaller and good enough; the weight of size rises where it is and falls where it is not."""
        self._rate = 0.8 * self._rate + 0.2 * right
        good = self._rate >= self._search.success
        better = good & (sizes < self._best[0])
        self._best[0] = torch.where(better, sizes, self._best[0])
        for place, new in ((1, masks), (2, values)):
            shape = (-1,) + (1,) * (new.dim() - 1)
            self._best[place] = torch.where(better.view(shape), new.detach(), self._best[place])
        self._weight = torch.where(good, self._weight * 1.1, self._weight / 1.1).clamp(1e-5, 1.0)

    def best(self) -> Triggers:
        """The best of each class; the last one where none was good enough."""
        never = ~torch.isfinite(self._best[0])
        masks, values = torch.sigmoid(self._masks.detach()), self._values().detach()
        shape = (-1,) + (1,) * (masks.dim() - 1)
        kept = torch.where(never.view(shape), masks, self._best[1])
        wide = (-1,) + (1,) * (values.dim() - 1)
        patterns = torch.where(never.view(wide), values, self._best[2])
        sizes = kept.flatten(1).sum(1)
        return Triggers(kept.numpy(), patterns.numpy(), sizes.double().numpy(), self._rate.double().numpy())
