"""STRIP: what carries a trigger keeps its class when other pictures are laid over it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gambeson.attacks.poisoning.pupil import answers
from gambeson.defenses.poisoning.base import DetectorFacts, Inspection, detectors, log_softmax

_ROWS = 256
"""Rows that are laid over at a time: each is answered together with all of its overlays."""


@detectors.register(
    "strip",
    DetectorFacts(
        looks_at="answers to overlaid inputs",
        source="Gao et al. 2019, STRIP, arXiv:1902.06531, algorithm 1; deviation: all rows share the overlays and are "
        "answered together; each class of overlays counts alike",
    ),
)
@dataclass(frozen=True, slots=True)
class Strip:
    """Mean entropy of the answers to the sum of a row and trusted rows.

    Attributes:
        overlays: Trusted rows that are laid over each.
    """

    overlays: int = 12

    def suspicion(self, seen: Inspection) -> np.ndarray:
        """The lower the entropy, the more suspicious."""
        rng = seen.seed.child("overlays").generator()
        chosen = seen.x_trusted[rng.permutation(len(seen.x_trusted))[: self.overlays]]
        low, high = seen.schema.bounds()
        out = np.empty(len(seen.y))
        for start in range(0, len(out), _ROWS):
            part = seen.x[start : start + _ROWS]
            mixed = np.clip(part[:, None] + chosen[None] - low, low, high)
            said = log_softmax(answers(seen.module, mixed.reshape(-1, *seen.schema.shape)))
            entropy = -(np.exp(said) * said).sum(axis=1).reshape(len(part), -1)
            out[start : start + len(part)] = -entropy.mean(axis=1)
        return out
