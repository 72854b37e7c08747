"""The trusted gap: a label that only the suspected data could have taught."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gambeson.defenses.poisoning.base import DetectorFacts, Inspection, detectors, log_softmax, of_label


@detectors.register(
    "trusted_gap",
    DetectorFacts(
        looks_at="answers with and without the data",
        source="after Carlini et al. 2022, arXiv:2112.03570 (likelihood ratio with a reference model), turned to "
        "labels; Gambeson's own",
    ),
)
@dataclass(frozen=True, slots=True)
class TrustedGap:
    """How much surer of the label a network is that was trained on all rows than one trained on trusted rows alone."""

    def suspicion(self, seen: Inspection) -> np.ndarray:
        """Difference of the log-probabilities of the label."""
        ours = of_label(log_softmax(seen.logits), seen.y)
        return np.asarray(ours - of_label(seen.trusted_answers, seen.y))
