"""Loss dynamics: a network learns the shortcut of a trigger sooner than anything else."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gambeson.defenses.poisoning.base import DetectorFacts, Inspection, detectors


@detectors.register(
    "loss_dynamics",
    DetectorFacts(
        looks_at="losses of early passes",
        source="Li et al. 2021, Anti-backdoor learning, arXiv:2110.11571, section 4 (loss-guided isolation); "
        "deviation: the network's own early passes, no gradient ascent",
    ),
)
@dataclass(frozen=True, slots=True)
class LossDynamics:
    """The mean loss of a row over the first half of the training, compared with its class."""

    def suspicion(self, seen: Inspection) -> np.ndarray:
        """The lower the early loss, the more suspicious."""
        early = seen.losses[: max(1, len(seen.losses) // 2)].mean(axis=0).astype(np.float64)
        return np.asarray(-np.log(early + 1e-6))
