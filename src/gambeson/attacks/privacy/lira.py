"""LiRA: is the target's confidence that of models trained with the record, or of models trained without it?"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gambeson.attacks.privacy.base import MembershipTask, PrivacyFacts, logits_of, privacy, require_references
from gambeson.core.threat import Access

_ENOUGH = 16
"""References on each side from which a record's own variance is known better than a common one."""
_SMALLEST = 1e-12
"""Of a variance and of the probability of all other classes."""


@dataclass(frozen=True, slots=True)
class Moments:
    """Mean (n,) of the logits of each record under some reference models, and their variance, (n,) or common."""

    mean: np.ndarray
    variance: np.ndarray

    @classmethod
    def of(cls, logits: np.ndarray, chosen: np.ndarray) -> Moments:
        """Over the models in ``chosen``; both (k, n).

        With few models the variance is that around the records' means, common to all; with one model each, that of
        all logits, as in the authors' code.
        """
        count = chosen.sum(axis=0)
        mean = np.where(chosen, logits, 0).sum(axis=0) / count
        squares = np.where(chosen, (logits - mean) ** 2, 0).sum(axis=0)
        if count.min() >= _ENOUGH:
            variance = squares / (count - 1)
        elif (count > 1).any():
            variance = squares.sum() / (count - 1).sum()
        else:
            variance = logits[chosen].var()
        return cls(mean, np.maximum(variance, _SMALLEST))

    def log_density(self, logit: np.ndarray) -> np.ndarray:
        """(n,) up to a constant."""
        return np.asarray(-((logit - self.mean) ** 2) / (2 * self.variance) - np.log(self.variance) / 2)


@privacy.register(
    "lira",
    PrivacyFacts(
        access=Access.SCORES,
        least_references=2,
        source="Carlini et al. 2022, Membership inference attacks from first principles, arXiv:2112.03570, algorithm 1",
    ),
)
@dataclass(frozen=True, slots=True)
class LiRA:
    """Likelihood-ratio attack on the logit of the true class, modelled as normal with and without the record.

    Deviation: with few reference models the paper takes the variance of all records' logits together; here it is the
    variance around each record's own mean, which does not take unequal difficulty for noise.

    Attributes:
        offline: Use only the references that were not trained on the record: the score is how far the target's logit
            lies above theirs (section VI-C).
    """

    offline: bool = False

    def infer(self, task: MembershipTask) -> np.ndarray:
        """(n,) logarithm of the likelihood ratio; offline the standardised logit.

        Raises:
            UsageError: A record lacks a reference with it or one without it.
        """
        require_references(task, "LiRA")
        logit, logits = logits_of(task.confidence), logits_of(task.references)
        without = Moments.of(logits, ~task.included)
        if self.offline:
            return np.asarray((logit - without.mean) / np.sqrt(without.variance))
        inside = Moments.of(logits, task.included)
        return np.asarray(inside.log_density(logit) - without.log_density(logit))
