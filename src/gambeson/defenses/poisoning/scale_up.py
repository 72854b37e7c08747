"""SCALE-UP: what carries a trigger keeps its class when its values are multiplied."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gambeson.attacks.poisoning.pupil import answers
from gambeson.defenses.poisoning.base import DetectorFacts, Inspection, detectors, log_softmax, of_label


@detectors.register(
    "scale_up",
    DetectorFacts(
        looks_at="answers to amplified pictures",
        source="Guo et al. 2023, SCALE-UP, arXiv:2302.03251, section 4 (scaled prediction consistency); deviation: "
        "probabilities in place of a count of agreeing labels, in units of the class's trusted rows",
        pictures_only=True,
    ),
)
@dataclass(frozen=True, slots=True)
class ScaleUp:
    """Mean probability of the label over pictures multiplied by 2 up to ``most`` and cut off at the bounds.

    Attributes:
        most: Largest factor.
    """

    most: int = 5

    def suspicion(self, seen: Inspection) -> np.ndarray:
        """The more the label persists compared with trusted rows of its class, the more suspicious."""
        rows = self._persistence(seen, seen.x, seen.y)
        trusted = self._persistence(seen, seen.x_trusted, seen.y_trusted)
        out = np.empty(len(rows))
        for label in seen.classes:
            ours = trusted[seen.y_trusted == label]
            middle, spread = (ours.mean(), ours.std()) if len(ours) > 1 else (trusted.mean(), trusted.std())
            of_class = seen.y == label
            out[of_class] = (rows[of_class] - middle) / (spread + 0.01)
        return out

    def _persistence(self, seen: Inspection, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        low, high = seen.schema.bounds()
        total = np.zeros(len(y))
        for factor in range(2, self.most + 1):
            scaled = np.clip(low + factor * (x - low), low, high).astype(np.float32)
            total += np.exp(of_label(log_softmax(answers(seen.module, scaled)), y))
        return total / (self.most - 1)
