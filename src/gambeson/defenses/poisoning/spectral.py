"""Spectral signatures: poisoned rows of a class stand out along the features' direction of most variance."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gambeson.defenses.poisoning.base import DetectorFacts, Inspection, detectors
from gambeson.defenses.poisoning.projecting import principal


@detectors.register(
    "spectral",
    DetectorFacts(
        looks_at="largest direction of features",
        source="Tran et al. 2018, Spectral signatures in backdoor attacks, arXiv:1811.00636, algorithm 1",
    ),
)
@dataclass(frozen=True, slots=True)
class SpectralSignatures:
    """The squared coordinate along the first principal component within the class, in units of its median."""

    def suspicion(self, seen: Inspection) -> np.ndarray:
        """How far a row lies out in its class."""
        out = np.zeros(len(seen.y))
        for label in seen.classes:
            rows = np.flatnonzero(seen.y == label)
            if len(rows) > 2:
                squared = principal(seen.features[rows], 1)[:, 0] ** 2
                out[rows] = squared / (np.median(squared) + 1e-12)
        return out
