"""Quantile regression: how sure would the target be of this record, were it no member? Needs no reference models."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gambeson.attacks.privacy.base import MembershipTask, PrivacyFacts, logits_of, of_true_class, privacy
from gambeson.attacks.privacy.ridge import fit_ridge
from gambeson.core.errors import UsageError
from gambeson.core.threat import Access

_SMALLEST = 1e-3
"""Of a residual, in logits."""


@privacy.register(
    "quantile",
    PrivacyFacts(
        access=Access.SCORES,
        least_references=0,
        source="Bertran et al. 2023, Scalable membership inference attacks via quantile regression, arXiv:2307.03694",
        needs_outsiders=True,
    ),
)
@dataclass(frozen=True, slots=True)
class Quantile:
    """The quantile of the target's logit among non-members that look like the record.

    Mean and spread of the logit are predicted from features and label, learnt on records known to be no members, and
    a normal distribution gives the quantiles (the paper's parametric variant).

    Deviation: both predictions are linear, by ridge regression; the paper trains a network.
    """

    def infer(self, task: MembershipTask) -> np.ndarray:
        """(n,) standardised logit: the higher, the fewer non-members like it are as sure.

        Raises:
            UsageError: No non-members are known.
        """
        known = task.outsiders
        if known is None or len(known.labels) < 2:
            raise UsageError(
                "The quantile attack was given no outsiders.",
                expected="at least 2 records known to be no members",
            )
        classes = task.target.shape[1]
        seen, asked = (_columns(part.features, part.labels, classes) for part in (known, task))
        logit = logits_of(of_true_class(known.target, known.labels))
        centre = fit_ridge(seen, logit)
        spread = fit_ridge(seen, np.log(np.abs(logit - centre.predict(seen)) + _SMALLEST))
        return np.asarray(
            (logits_of(task.confidence) - centre.predict(asked)) / np.exp(spread.predict(asked))
        )


def _columns(features: np.ndarray, labels: np.ndarray, classes: int) -> np.ndarray:
    """(n, d + classes) features beside the label, one column for each class."""
    return np.concatenate([features, np.eye(classes, dtype=np.float32)[labels]], axis=1)
