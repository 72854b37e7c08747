"""Kinship: does a suspect resemble our model in what independent models do not share?"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from gambeson.core.errors import InsufficientEvidence
from gambeson.core.stats import student_tail

FEWEST = 5
"""References below which the spread of independent models is not known well enough."""
_FLOOR = -12.0
"""Log-probabilities below this say nothing but rounding."""


@dataclass(frozen=True, slots=True)
class Outlier:
    """How far a suspect stands out among independent models.

    Attributes:
        suspect: Its statistic.
        references: (m,) the same of every reference.
        p_value: That one more independent model comes out so high, if they are normally distributed.
        rank_p_value: The same without that assumption; never below ``1 / (m + 1)``.
    """

    suspect: float
    references: tuple[float, ...]
    p_value: float
    rank_p_value: float


def stands_out(suspect: float, references: np.ndarray) -> Outlier:
    """Test a suspect against independent models, all measured in the same way.

    A suspect made as the references were, without our model, is exchangeable with them: its rank is uniform and the
    rank p-value exact. The p-value compares it with their mean and spread as one further draw from a normal
    distribution: Student's t with m - 1 degrees of freedom.

    Args:
        suspect: Its statistic.
        references: (m,) theirs.

    Raises:
        InsufficientEvidence: There are fewer than five references.
    """
    m = len(references)
    if m < FEWEST:
        raise InsufficientEvidence(
            f"There are {m} independent models to compare with.",
            expected=f"at least {FEWEST}",
            remedy="give more",
        )
    spread = float(references.std(ddof=1)) * math.sqrt(1 + 1 / m)
    gap = suspect - float(references.mean())
    p = student_tail(gap / spread, m - 1) if spread > 0 else float(gap <= 0)
    rank = (1 + int((references >= suspect).sum())) / (m + 1)
    return Outlier(suspect, tuple(map(float, references)), p, rank)


def kinship(answers: np.ndarray) -> Outlier:
    """Test whether a suspect's answers follow our model's where those of independent models do not.

    From the answers of each model, and from ours, what can be told from the mean of all others is taken away; the
    statistic is the correlation of what is left (Fisher's z). What makes models alike (the task, easy inputs) is gone
    then, and so is how sure of itself a model is.

    Args:
        answers: (m + 2, n, classes) evidence from ``of_scores`` or ``of_labels``. Row 0 is our model, row 1 the
            suspect, then come the references.

    Raises:
        InsufficientEvidence: There are fewer than five references.

    Source: Gambeson. The question is that of dataset inference (Maini et al. 2021, arXiv:2104.10706), put so that
    models trained on the same data are the null hypothesis and not an accusation (Szyller et al. 2022,
    arXiv:2210.13631).
    """
    flat = answers.reshape(len(answers), -1)
    flat = flat - flat.mean(axis=1, keepdims=True)
    flat = flat / np.maximum(np.linalg.norm(flat, axis=1, keepdims=True), 1e-12)
    total = flat[1:].sum(axis=0)
    found = np.array([_closeness(flat[0], row, total - row) for row in flat[1:]])
    return stands_out(float(found[0]), found[1:])


def typicality(answers: np.ndarray) -> float:
    """Two-sided p-value that our model is one more draw from what the references come from.

    A small one says that the references were made in another way than our model: the test of the suspect then
    compares unlike with like, and independent models may seem akin.

    Args:
        answers: As for ``kinship``.
    """
    kept = answers[np.arange(len(answers)) != 1].argmax(axis=2)  # the suspect has no say in it
    agreement = (kept[:, None] == kept[None]).mean(axis=2)
    centrality = (agreement.sum(axis=1) - 1) / (len(kept) - 1)
    ours, others = float(centrality[0]), centrality[1:]
    spread = float(others.std(ddof=1)) * math.sqrt(1 + 1 / len(others))
    return 2 * student_tail(abs(ours - float(others.mean())) / spread, len(others) - 1) if spread > 0 else 1.0


def of_scores(scores: np.ndarray) -> np.ndarray:
    """(n, classes) log-probabilities less their mean, from scores up to a constant for each input."""
    top = scores - scores.max(axis=1, keepdims=True)
    logs = np.maximum(top - np.log(np.exp(top).sum(axis=1, keepdims=True)), _FLOOR)
    return np.asarray(logs - logs.mean(axis=1, keepdims=True))


def of_labels(scores: np.ndarray) -> np.ndarray:
    """(n, classes) 1 for the predicted class, less the mean."""
    classes = scores.shape[1]
    return np.asarray(np.eye(classes)[scores.argmax(axis=1)] - 1 / classes)


def _closeness(ours: np.ndarray, other: np.ndarray, common: np.ndarray) -> float:
    """Fisher's z of the correlation of two rows, given a third."""
    common = common / max(float(np.linalg.norm(common)), 1e-12)
    a, b = (row - (row @ common) * common for row in (ours, other))
    scale = float(np.linalg.norm(a) * np.linalg.norm(b))
    return math.atanh(min(max(float(a @ b) / scale, -1 + 1e-12), 1 - 1e-12)) if scale > 0 else 0.0
