"""Confident learning: networks that never saw a row disagree with its label."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gambeson.defenses.poisoning.base import DetectorFacts, Inspection, detectors, of_label


@detectors.register(
    "confident_learning",
    DetectorFacts(
        looks_at="held-out answers",
        source="Northcutt et al. 2021, Confident learning, arXiv:1911.00068, section 3 (ranking by normalised margin)",
    ),
)
@dataclass(frozen=True, slots=True)
class ConfidentLearning:
    """The margin by which another class is held for likelier than the label."""

    def suspicion(self, seen: Inspection) -> np.ndarray:
        """Log-probability of the likeliest other class less that of the label."""
        others = seen.held_out.astype(np.float64).copy()
        others[np.arange(len(seen.y)), seen.y] = -np.inf
        return np.asarray(others.max(axis=1) - of_label(seen.held_out, seen.y))
