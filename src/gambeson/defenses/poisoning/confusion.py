"""Confusion: labels that a network still learns although all that clean rows have in common was made useless."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gambeson.defenses.poisoning.base import DetectorFacts, Inspection, detectors, of_label


@detectors.register(
    "confusion",
    DetectorFacts(
        looks_at="answers of a confused network",
        source="Qi et al. 2023, Towards a proactive ML approach for detecting backdoor poison samples, "
        "arXiv:2205.13616, section 4 (confusion training); deviation: one round",
    ),
)
@dataclass(frozen=True, slots=True)
class Confusion:
    """Log-probability of the label by the confused network."""

    def suspicion(self, seen: Inspection) -> np.ndarray:
        """The surer of the label, the more suspicious."""
        return of_label(seen.confused, seen.y)
