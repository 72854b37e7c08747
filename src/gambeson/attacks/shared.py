"""Fits one tensor to many samples: what a universal perturbation and an adversarial patch have in common."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch
from torch import Tensor

from gambeson.attacks.harness import Run
from gambeson.attacks.losses import cross_entropy

BATCH = 16
"""Samples behind one step."""
_CLIP = 9.0
_MOMENTUM = 0.9
_TINY = 1e-12


class SharedPerturbation(Protocol):
    """One tensor that is laid over every sample, and how it moves."""

    def start(self) -> Tensor:
        """Where the ascent begins."""

    def slope(self, value: Tensor, rows: Tensor, step: int) -> Tensor:
        """Gradient of the mean loss of the samples ``rows`` with respect to ``value``, of its shape."""

    def move(self, value: Tensor, direction: Tensor, length: float) -> Tensor:
        """A step in an ascent direction, back inside its set; ``length`` 1 crosses the set's radius."""


@dataclass(frozen=True, slots=True)
class Fitted:
    """What came of the ascent.

    Attributes:
        value: The tensor.
        epochs: How often it has seen every sample; fewer than planned where time ran out.
    """

    value: Tensor
    epochs: int


def clipped_cross_entropy(scores: Tensor, y: Tensor) -> Tensor:
    """Cross-entropy that stops at 9 (n,), so that samples already lost don't outweigh those that stand.

    Source: Shafahi et al. 2020, arXiv:1811.11304, section 4.
    """
    return cross_entropy(scores, y).clamp_max(_CLIP)


def fit_shared(perturbation: SharedPerturbation, count: int, epochs: int, run: Run) -> Fitted:
    """Ascend the mean loss over batches of samples, with momentum and a step that shrinks from 1/5 to nothing.

    The order of the samples is drawn anew for each epoch from its number alone, so that a resumed run takes the
    same steps.

    Args:
        perturbation: What is fitted.
        count: Number of samples, at least 1.
        epochs: How often every sample is seen.
        run: Seeds, deadline, journal, progress: one unit of work for each sample and epoch.

    Source: Shafahi et al. 2020, arXiv:1811.11304, algorithm 2; momentum added.
    """
    value, velocity, first = _resume(perturbation.start(), run)
    saved = run.clock()
    for epoch in range(first, epochs):
        now = run.clock()
        if run.deadline is not None and now >= run.deadline:
            _save(value, velocity, epoch, run)
            return Fitted(value, epoch)
        if now - saved > run.save_every:
            _save(value, velocity, epoch, run)
            saved = now
        order = run.seed.child("order", str(epoch)).generator().permutation(count)
        length = 0.2 * (1 - epoch / epochs)
        for number, rows in enumerate(torch.split(torch.from_numpy(order), BATCH)):
            grad = perturbation.slope(value, rows, epoch * count + number)
            velocity = _MOMENTUM * velocity + grad / grad.abs().mean().clamp_min(_TINY)
            value = perturbation.move(value, velocity, length)
        run.report(count, 0)
    _save(value, velocity, epochs, run)
    return Fitted(value, epochs)


def _save(value: Tensor, velocity: Tensor, epoch: int, run: Run) -> None:
    arrays = {"value": value.cpu().numpy(), "velocity": velocity.cpu().numpy(), "epoch": np.array(epoch)}
    run.journal.save(f"{run.key}/fit", arrays)


def _resume(fresh: Tensor, run: Run) -> tuple[Tensor, Tensor, int]:
    """Value, velocity and next epoch from the journal, or a fresh start."""
    kept = run.journal.load(f"{run.key}/fit")
    if kept is None or kept["value"].shape != tuple(fresh.shape):
        return fresh, torch.zeros_like(fresh), 0
    value, velocity = (torch.from_numpy(kept[name]).to(fresh.device) for name in ("value", "velocity"))
    return value, velocity, int(kept["epoch"])
