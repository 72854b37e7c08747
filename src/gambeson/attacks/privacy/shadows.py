"""Shadow models: a classifier for each class learns what answers about members look like."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gambeson.attacks.privacy.base import MembershipTask, PrivacyFacts, privacy, require_references
from gambeson.core.errors import missing_extra
from gambeson.core.threat import Access


@privacy.register(
    "shadow",
    PrivacyFacts(
        access=Access.SCORES,
        least_references=2,
        source="Shokri et al. 2017, Membership inference attacks against machine learning models, arXiv:1610.05820",
    ),
)
@dataclass(frozen=True, slots=True)
class Shadow:
    """Learns from the reference models' whole answers, told who was a member of each, and judges the target's.

    Deviations: logistic regression takes the place of the paper's small network, and the shadow models are the
    reference models, whose records are the candidates themselves.

    Attributes:
        rounds: Most iterations of each classifier.
    """

    rounds: int = 100

    def infer(self, task: MembershipTask) -> np.ndarray:
        """(n,) log-odds that an answer is about a member.

        Raises:
            UsageError: A record lacks a reference with it or one without it.
            Unavailable: scikit-learn is not installed.
        """
        require_references(task, "The shadow attack")
        scores = np.empty(len(task.labels))
        for own in np.unique(task.labels):
            rows = task.labels == own
            scores[rows] = self._judge(task.answers[:, rows], task.included[:, rows], task.target[rows])
        return scores

    def _judge(self, answers: np.ndarray, included: np.ndarray, target: np.ndarray) -> np.ndarray:
        """(m,) log-odds for the records of one class."""
        try:
            from sklearn.linear_model import LogisticRegression
        except ImportError:
            raise missing_extra("sklearn", "sklearn") from None
        seen = np.exp(answers.astype(np.float64)).reshape(-1, answers.shape[-1])
        # the stopping rule of lbfgs is tight enough long before the last digit, hence no warning about it
        classifier = LogisticRegression(max_iter=self.rounds, tol=1e-3).fit(seen, included.ravel())
        return np.asarray(classifier.decision_function(np.exp(target)))
