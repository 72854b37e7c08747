"""SPECTRE: features are whitened by a robust covariance first, so that a weak signature stands out."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gambeson.defenses.poisoning.base import DetectorFacts, Inspection, detectors
from gambeson.defenses.poisoning.projecting import principal, robust_moments


@detectors.register(
    "robust_whitening",
    DetectorFacts(
        looks_at="whitened features",
        source="Hayase et al. 2021, SPECTRE, arXiv:2104.11315, algorithms 1 and 2 (QUE scores, alpha = 4); deviation: "
        "moments by concentration steps, and one number of components",
    ),
)
@dataclass(frozen=True, slots=True)
class RobustWhitening:
    """Quantum entropy scores of whitened features within each class.

    Attributes:
        components: Principal components that are kept.
        alpha: 0 gives squared norms, infinity the largest direction alone.
    """

    components: int = 20
    alpha: float = 4.0

    def suspicion(self, seen: Inspection) -> np.ndarray:
        """QUE scores, in units of their median within the class."""
        out = np.zeros(len(seen.y))
        for label in seen.classes:
            rows = np.flatnonzero(seen.y == label)
            if len(rows) > 4 * self.components:
                scores = self._que(principal(seen.features[rows], self.components))
                out[rows] = scores / (np.median(scores) + 1e-12)
        return out

    def _que(self, z: np.ndarray) -> np.ndarray:
        mean, covariance = robust_moments(z)
        sizes, axes = np.linalg.eigh(covariance)
        white = (z - mean) @ axes / np.sqrt(np.maximum(sizes, 1e-12))
        second = white.T @ white / len(white)
        values, turns = np.linalg.eigh(second)
        excess = (values - 1) / max(float(values.max()) - 1, 1e-9)
        weights = np.exp(self.alpha * np.minimum(excess, 1.0))
        return np.asarray(((white @ turns) ** 2 * (weights / weights.sum())).sum(axis=1))
