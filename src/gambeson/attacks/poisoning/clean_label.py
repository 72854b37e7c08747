"""Label-consistent backdoor: rows of the target class are made hard to recognise, and carry the trigger."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch.nn import functional as F

from gambeson.attacks.poisoning.base import Changes, PoisoningFacts, PoisonTask, poisonings, require_share
from gambeson.attacks.poisoning.pupil import pieces, teach
from gambeson.attacks.surrogate import Surrogate
from gambeson.core.errors import UsageError
from gambeson.core.reproduce import Seed
from gambeson.data.schema import Schema


@poisonings.register(
    "clean_label",
    PoisoningFacts(
        goal="backdoor",
        changes="inputs",
        pictures=True,
        tables=False,
        source="Turner et al. 2019, Label-consistent backdoor attacks, arXiv:1912.02771, sections 4.2 and 5 "
        "(adversarial perturbation, trigger in all four corners); deviation: the perturbation is taken against a "
        "network that was trained plainly",
    ),
)
@dataclass(frozen=True, slots=True)
class CleanLabel:
    """PGD away from the true label, then a patch in each corner; every label stays right.

    Attributes:
        eps: Largest change of a value by PGD, as a share of the range of values.
        steps: Of PGD.
        size: Side of each patch in pixels.
        strength: How far patches replace the picture, in (0, 1].
    """

    eps: float = 0.3
    steps: int = 20
    size: int = 3
    strength: float = 1.0

    def poison(self, task: PoisonTask) -> Changes:
        """Changes inputs of the target class.

        Raises:
            UsageError: A parameter is out of range.
        """
        require_share("eps", self.eps)
        rows = task.draw(task.y == task.target)
        pupil = teach(task.x, task.y, task.schema, seed=task.seed.child("surrogate"), build=task.build)
        hard = np.concatenate([self._away(pupil, part, task) for part in pieces(task.x[rows])])
        return Changes(rows, self.stamp(hard, task.schema, task.seed), task.y[rows])

    def stamp(self, x: np.ndarray, schema: Schema, seed: Seed) -> np.ndarray:
        """Inputs with a patch in each corner.

        Raises:
            UsageError: The patches do not fit, or ``strength`` is no share.
        """
        require_share("strength", self.strength)
        height, width = schema.shape[-2:]
        if self.size < 1 or 2 * self.size > min(height, width):
            raise UsageError(f"Patches of {self.size} pixels do not fit {height}×{width}.")
        low, high = schema.bounds()
        board = (np.add.outer(np.arange(self.size), np.arange(self.size)) % 2 == 0).astype(np.float32)
        patch = low.min() + board * (high.max() - low.min())
        near, far = slice(0, self.size), slice(-self.size, None)
        out = x.copy()
        for down, right in ((near, near), (near, far), (far, near), (far, far)):
            part = patch[:: 1 if down is far else -1, :: 1 if right is far else -1]
            out[..., down, right] += self.strength * (part - out[..., down, right])
        return out

    def _away(self, pupil: Surrogate, x: np.ndarray, task: PoisonTask) -> np.ndarray:
        """Inputs on which the pupil's loss for the target class is high, within eps."""
        low, high = (torch.from_numpy(bound) for bound in task.schema.bounds())
        reach = self.eps * (high - low)
        start = torch.from_numpy(x)
        labels = torch.full((len(x),), task.target)
        at = start.clone()
        for _ in range(self.steps):
            at.requires_grad_(True)
            loss = F.cross_entropy(pupil.forward(at), labels, reduction="sum")
            (slope,) = torch.autograd.grad(loss, at)
            step = at.detach() + 2.5 / self.steps * reach * slope.sign()
            at = torch.clamp(step, start - reach, start + reach).clamp(low, high)
        return np.asarray(at.numpy())
