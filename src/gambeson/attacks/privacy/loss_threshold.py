"""The loss threshold: records on which the target's loss is low are taken for members."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gambeson.attacks.privacy.base import MembershipTask, PrivacyFacts, privacy
from gambeson.core.threat import Access


@privacy.register(
    "loss_threshold",
    PrivacyFacts(
        access=Access.SCORES,
        least_references=0,
        source="Yeom et al. 2018, Privacy risk in machine learning, arXiv:1709.01604",
    ),
)
@dataclass(frozen=True, slots=True)
class LossThreshold:
    """Scores a record by the negative cross-entropy of its true class.

    Deviation: the paper's adversary knows the average training loss and takes it for the threshold; here
    the harness measures every threshold, so that no knowledge of the training loss is assumed.
    """

    def infer(self, task: MembershipTask) -> np.ndarray:
        """(n,) log-probability of the true class."""
        return task.confidence
