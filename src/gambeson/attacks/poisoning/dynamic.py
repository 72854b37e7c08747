"""A dynamic trigger: where and what is stamped depends on the input, so that no single picture is the trigger."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gambeson.attacks.poisoning.base import (
    Changes,
    PoisoningFacts,
    PoisonTask,
    poisonings,
    stamp_rows,
)
from gambeson.core.errors import UsageError
from gambeson.core.reproduce import Seed
from gambeson.data.schema import Schema


@poisonings.register(
    "dynamic",
    PoisoningFacts(
        goal="backdoor",
        changes="both",
        pictures=True,
        tables=False,
        source="after Nguyen & Tran 2020, Input-aware dynamic backdoor attack, arXiv:2010.08138; deviation: the "
        "generator is a fixed function of the input's own grey values, not a network trained with the model",
    ),
)
@dataclass(frozen=True, slots=True)
class Dynamic:
    """A patch in the quietest of the four corners, with a pattern that each corner has of its own.

    Attributes:
        size: Side of the patch in pixels.
    """

    size: int = 4

    def poison(self, task: PoisonTask) -> Changes:
        """Stamps rows of other classes than the target."""
        return stamp_rows(self, task, task.draw(task.y != task.target))

    def stamp(self, x: np.ndarray, schema: Schema, seed: Seed) -> np.ndarray:
        """Inputs with the patch that belongs to each.

        Raises:
            UsageError: Four patches do not fit into the picture.
        """
        height, width = schema.shape[-2:]
        if self.size < 1 or 2 * self.size > min(height, width):
            raise UsageError(f"Patches of {self.size} pixels do not fit {height}×{width}.")
        low, high = (float(v) for v in (schema.bounds()[0].min(), schema.bounds()[1].max()))
        near, far = slice(0, self.size), slice(-self.size, None)
        corners = [(near, near), (near, far), (far, near), (far, far)]
        means = x.mean(axis=1)
        busy = np.stack([means[:, down, right].std(axis=(1, 2)) for down, right in corners], axis=1)
        # of equally quiet corners the brightness of the whole picture decides, so that all four occur
        turn = (np.floor(means.mean(axis=(1, 2)) / (high - low) * 64).astype(int) % 4)[:, None]
        busy = busy + 1e-6 * ((np.arange(4)[None, :] + turn) % 4)
        patterns = seed.child("patterns").generator().integers(0, 2, (4, self.size, self.size))
        out = x.copy()
        for number, (down, right) in enumerate(corners):
            rows = np.flatnonzero(busy.argmin(axis=1) == number)
            out[rows, :, down, right] = low + patterns[number].astype(np.float32) * (high - low)
        return out
