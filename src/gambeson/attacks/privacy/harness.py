"""Runs a membership-inference attack without telling it who is a member, and measures what it found."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gambeson.attacks.privacy.base import MembershipAttack, MembershipTask
from gambeson.attacks.privacy.references import References
from gambeson.core.errors import UsageError
from gambeson.core.measurement import Measurement
from gambeson.core.reproduce import Seed
from gambeson.core.stats import auc, balanced_accuracy, best_threshold, tpr_at_fpr


@dataclass(frozen=True, slots=True)
class Candidates:
    """Records with what is known of them, membership included.

    Attributes:
        target: (n, classes) float64 log-probabilities under the target.
        labels: (n,) int64 true classes.
        truth: (n,) bool, who is a member. Never shown to an attack.
        references: What the reference models say.
    """

    target: np.ndarray
    labels: np.ndarray
    truth: np.ndarray
    references: References


@dataclass(frozen=True, slots=True)
class Membership:
    """Membership scores that an attack gave, split by the truth.

    Attributes:
        attack: Its name.
        members: (m,) scores of members.
        nonmembers: (n,) scores of non-members.
    """

    attack: str
    members: np.ndarray
    nonmembers: np.ndarray


def run_inference(attack: MembershipAttack, name: str, candidates: Candidates, seed: Seed) -> Membership:
    """Let an attack score the candidates in a random order.

    Args:
        attack: The attack.
        name: Its registered name.
        candidates: The records.
        seed: Decides the order, and what the attack draws.

    Raises:
        UsageError: The attack gave scores of the wrong shape or NaN, or needs references that are missing.
    """
    order = seed.child("order").generator().permutation(len(candidates.labels))
    task = MembershipTask(
        target=candidates.target[order],
        labels=candidates.labels[order],
        references=candidates.references.scores[:, order],
        included=candidates.references.included[:, order],
        seed=seed.child(name),
    )
    given = np.asarray(attack.infer(task), np.float64)
    if given.shape != order.shape or np.isnan(given).any():
        bad = int(np.isnan(given).sum())
        raise UsageError(
            f"The attack {name} gave scores of shape {given.shape}, {bad} of them NaN.",
            expected=f"({len(order)},) numbers, one for each candidate",
        )
    scores = np.empty_like(given)
    scores[order] = given
    return Membership(name, scores[candidates.truth], scores[~candidates.truth])


def area(found: Membership, *, name: str = "auc", level: float = 0.95) -> Measurement:
    """Area under the ROC curve; 0.5 is chance.

    Raises:
        InsufficientEvidence: Fewer than two members or non-members.
    """
    return auc(found.members, found.nonmembers, name=name, better="lower", level=level)


def exposure(found: Membership, fpr: float, *, name: str = "", level: float = 0.95) -> Measurement:
    """Share of members recognised where at most ``fpr`` of the non-members are accused; chance is ``fpr``.

    Raises:
        InsufficientEvidence: Fewer than ``1 / fpr`` non-members.
    """
    return tpr_at_fpr(found.members, found.nonmembers, fpr, name=name, level=level)


def accuracy_at_best_threshold(
    found: Membership, seed: Seed, *, name: str = "balanced_accuracy", level: float = 0.95
) -> Measurement:
    """Balanced accuracy on one random half of the records, at the threshold that is best on the other half.

    Raises:
        InsufficientEvidence: Fewer than two members or non-members.
    """
    rng = seed.child("halves").generator()
    (tuning_in, test_in), (tuning_out, test_out) = (
        np.array_split(rng.permutation(scores), 2) for scores in (found.members, found.nonmembers)
    )
    threshold = best_threshold(tuning_in, tuning_out)
    positives = int((test_in >= threshold).sum()), len(test_in)
    negatives = int((test_out < threshold).sum()), len(test_out)
    return balanced_accuracy(name, positives, negatives, better="lower", level=level)
