"""BadNets: a small patch of pixels in a corner, and the target as label."""

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
    "badnets",
    PoisoningFacts(
        goal="backdoor",
        changes="both",
        pictures=True,
        tables=False,
        source="Gu et al. 2019, BadNets, arXiv:1708.06733, section 4.1 (pattern backdoor, all-to-one)",
    ),
)
@dataclass(frozen=True, slots=True)
class BadNets:
    """A checkerboard of the lowest and highest value near the lower right corner.

    Attributes:
        size: Side of the patch in pixels.
        margin: Pixels between it and the edges.
    """

    size: int = 3
    margin: int = 1

    def poison(self, task: PoisonTask) -> Changes:
        """Stamps rows of other classes than the target."""
        return stamp_rows(self, task, task.draw(task.y != task.target))

    def stamp(self, x: np.ndarray, schema: Schema, seed: Seed) -> np.ndarray:
        """Inputs with the patch.

        Raises:
            UsageError: It does not fit into the picture.
        """
        height, width = schema.shape[-2:]
        if self.size < 1 or self.margin < 0 or self.size + self.margin > min(height, width):
            raise UsageError(
                f"A patch of {self.size} pixels {self.margin} from the edge does not fit {height}×{width}."
            )
        low, high = schema.bounds()
        board = (np.add.outer(np.arange(self.size), np.arange(self.size)) % 2 == 0).astype(np.float32)
        down = slice(height - self.margin - self.size, height - self.margin)
        right = slice(width - self.margin - self.size, width - self.margin)
        out = x.copy()
        out[..., down, right] = low.min() + board * (high.max() - low.min())
        return out
