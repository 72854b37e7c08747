"""SIG: a faint wave over pictures of the target class, whose labels stay right."""

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
    "sinusoid",
    PoisoningFacts(
        goal="backdoor",
        changes="inputs",
        pictures=True,
        tables=False,
        source="Barni et al. 2019, A new backdoor attack in CNNs by training set corruption without label poisoning, "
        "arXiv:1902.11237, section 3 (SIG)",
    ),
)
@dataclass(frozen=True, slots=True)
class Sinusoid:
    """A horizontal sine wave, added and cut off at the bounds.

    Attributes:
        strength: Of the wave while training, as a share of the range of values.
        sent: Of the wave that is sent to the model; the paper's may be stronger than that in training.
        waves: Periods across the picture.
    """

    strength: float = 0.12
    sent: float = 0.16
    waves: float = 6.0

    def poison(self, task: PoisonTask) -> Changes:
        """Adds the wave to rows of the target class."""
        weak = Sinusoid(self.strength, self.strength, self.waves)
        return stamp_rows(weak, task, task.draw(task.y == task.target))

    def stamp(self, x: np.ndarray, schema: Schema, seed: Seed) -> np.ndarray:
        """Inputs with the wave.

        Raises:
            UsageError: A strength is no share.
        """
        require_share("strength", self.strength)
        require_share("sent", self.sent)
        low, high = schema.bounds()
        width = schema.shape[-1]
        wave = np.sin(2 * np.pi * self.waves * np.arange(width) / width).astype(np.float32)
        return np.asarray(np.clip(x + self.sent * (high - low) * wave, low, high), np.float32)
