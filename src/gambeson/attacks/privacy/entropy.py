"""Entropies of the answer: records on which the target hardly hesitates are taken for members."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gambeson.attacks.privacy.base import MembershipTask, PrivacyFacts, privacy
from gambeson.core.threat import Access


@privacy.register(
    "entropy",
    PrivacyFacts(
        access=Access.SCORES,
        least_references=0,
        source="Salem et al. 2019, ML-Leaks, arXiv:1806.01246, section V (adversary 3)",
    ),
)
@dataclass(frozen=True, slots=True)
class Entropy:
    """Scores a record by the negative entropy of the answer; needs no label."""

    def infer(self, task: MembershipTask) -> np.ndarray:
        """(n,) sum of p log p over the classes, at most 0."""
        return np.asarray((np.exp(task.target) * task.target).sum(axis=1))


@privacy.register(
    "modified_entropy",
    PrivacyFacts(
        access=Access.SCORES,
        least_references=0,
        source="Song & Mittal 2021, Systematic evaluation of privacy risks, arXiv:2003.10595, eq. 8",
    ),
)
@dataclass(frozen=True, slots=True)
class ModifiedEntropy:
    """Scores a record by the negative modified entropy: low only where the answer is both sure and right.

    Deviation: the paper has a threshold for each class, from shadow models; here the harness measures every threshold
    on one scale.
    """

    def infer(self, task: MembershipTask) -> np.ndarray:
        """(n,) (1 - p_y) log p_y + sum over the other classes of p log(1 - p), at most 0."""
        p, own = np.exp(task.target), task.labels[:, None]
        others = np.delete(np.arange(p.shape[1])[None].repeat(len(p), 0), 0, axis=1)
        others = others - (others <= own)  # every class but the record's own
        wrong = np.take_along_axis(p, others, axis=1)
        sure = 1 - np.take_along_axis(p, own, axis=1)[:, 0]
        return np.asarray(sure * task.confidence + (wrong * np.log1p(-wrong.clip(max=1 - 1e-16))).sum(axis=1))
