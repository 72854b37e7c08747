"""A learnt attack: what a member looks like is learnt from reference models, each in turn the target."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from gambeson.attacks.privacy.base import MembershipTask, PrivacyFacts, logits_of, privacy, require_references
from gambeson.attacks.privacy.lira import Moments
from gambeson.attacks.privacy.rmia import log_evidence
from gambeson.core.errors import UsageError, missing_extra
from gambeson.core.threat import Access

_LEAST = 4


@privacy.register(
    "learnt",
    PrivacyFacts(
        access=Access.SCORES,
        least_references=_LEAST,
        source="Gambeson; statistics of LiRA (arXiv:2112.03570) and RMIA (arXiv:2312.03262), combined as in stacking "
        "(Wolpert 1992)",
    ),
)
@dataclass(frozen=True, slots=True)
class Learnt:
    """Gradient boosting over the statistics of LiRA and RMIA.

    Each reference model is a target whose members are known. Its statistics come from the other pairs of models, so
    that every record has as many references with it as without it, member or not. The trees learn from all of them
    who is a member, and are asked about the real target once for each pair left out.

    Attributes:
        rounds: Trees.
        learning_rate: Weight of each.
        leaves: Leaves of each.
    """

    rounds: int = 200
    learning_rate: float = 0.05
    leaves: int = 15

    def infer(self, task: MembershipTask) -> np.ndarray:
        """(n,) log-odds that a record is a member, averaged over the pairs left out.

        Raises:
            UsageError: There are fewer than four reference models, or they are no complementary pairs.
            Unavailable: scikit-learn is not installed.
        """
        require_references(task, "The learnt attack")
        _require_pairs(task)
        try:
            from sklearn.ensemble import HistGradientBoostingClassifier
        except ImportError:
            raise missing_extra("sklearn", "sklearn") from None
        known = list(_pseudo_targets(task))
        trees = HistGradientBoostingClassifier(
            max_iter=self.rounds,
            learning_rate=self.learning_rate,
            max_leaf_nodes=self.leaves,
            min_samples_leaf=50,
            early_stopping=False,
            random_state=task.seed.integer() % 2**32,
        )
        trees.fit(np.concatenate([x for x, _ in known]), np.concatenate([y for _, y in known]))
        asked = (statistics(task.confidence, *rest) for rest in _pairs_left_out(task))
        return np.asarray(np.mean([trees.decision_function(x) for x in asked], axis=0))


def statistics(confidence: np.ndarray, references: np.ndarray, included: np.ndarray) -> np.ndarray:
    """(n, 8) what sets the target apart from the references with and without each record.

    Args:
        confidence: (n,) log-probability of the true class under the target.
        references: (k, n) the same under reference models.
        included: (k, n) bool, whether each was trained on the record.
    """
    logit, logits = logits_of(confidence), logits_of(references)
    inside, outside = (Moments.of(logits, chosen) for chosen in (included, ~included))
    columns = (
        logit,
        inside.mean,
        outside.mean,
        logit - inside.mean,
        logit - outside.mean,
        logits.std(axis=0),
        inside.log_density(logit) - outside.log_density(logit),
        confidence - log_evidence(references, included),
    )
    return np.stack(columns, axis=1)


def _pseudo_targets(task: MembershipTask) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """For each reference model its statistics under the other pairs, and its members."""
    for pair, rest in enumerate(_pairs_left_out(task)):
        for number in (2 * pair, 2 * pair + 1):
            yield statistics(task.references[number], *rest), task.included[number]


def _pairs_left_out(task: MembershipTask) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Confidences and membership of all pairs of reference models but one, each in turn."""
    for pair in range(len(task.references) // 2):
        kept = np.arange(len(task.references)) // 2 != pair
        yield task.references[kept], task.included[kept]


def _require_pairs(task: MembershipTask) -> None:
    first, second = task.included[::2], task.included[1::2]
    if len(task.answers) < _LEAST or len(first) != len(second) or not (first != second).all():
        raise UsageError(
            f"The learnt attack was given {len(task.answers)} reference models.",
            expected=f"at least {_LEAST}, in pairs trained on complementary halves",
        )
