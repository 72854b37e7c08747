"""Blended injection: a fixed random picture shines through, and the target as label."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gambeson.attacks.poisoning.base import (
    Changes,
    PoisoningFacts,
    PoisonTask,
    poisonings,
    require_share,
    stamp_rows,
)
from gambeson.core.reproduce import Seed
from gambeson.data.schema import Schema


@poisonings.register(
    "blended",
    PoisoningFacts(
        goal="backdoor",
        changes="both",
        pictures=True,
        tables=False,
        source="Chen et al. 2017, Targeted backdoor attacks, arXiv:1712.05526, section 4.2 (random pattern)",
    ),
)
@dataclass(frozen=True, slots=True)
class Blended:
    """A uniform random pattern, mixed with every input.

    Attributes:
        alpha: Share of the pattern in the mixture, in (0, 1].
    """

    alpha: float = 0.15

    def poison(self, task: PoisonTask) -> Changes:
        """Stamps rows of other classes than the target."""
        return stamp_rows(self, task, task.draw(task.y != task.target))

    def stamp(self, x: np.ndarray, schema: Schema, seed: Seed) -> np.ndarray:
        """Inputs with the pattern shining through.

        Raises:
            UsageError: ``alpha`` is no share.
        """
        require_share("alpha", self.alpha)
        low, high = schema.bounds()
        pattern = low + (high - low) * seed.child("pattern").generator().random(schema.shape, np.float32)
        return np.asarray((1 - self.alpha) * x + self.alpha * pattern, np.float32)
