"""RMIA: does the target, set against reference models, favour this record more than it favours others?"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from gambeson.attacks.privacy.base import (
    MembershipTask,
    PrivacyFacts,
    of_true_class,
    privacy,
    require_references,
)
from gambeson.core.errors import UsageError
from gambeson.core.threat import Access


@privacy.register(
    "rmia",
    PrivacyFacts(
        access=Access.SCORES,
        least_references=2,
        source="Zarifzadeh et al. 2024, Low-cost high-power membership inference attacks, arXiv:2312.03262",
    ),
)
@dataclass(frozen=True, slots=True)
class RMIA:
    """Robust membership inference: a record's share of wins in pairwise likelihood-ratio tests.

    With p(x | target) the target's probability of the true class, ratio(x) = p(x | target) / p(x), and the
    score is the share of population records z with ratio(x) / ratio(z) >= gamma. Online, p(x) is the mean of
    two averages: over the references trained with x and over those trained without it. Offline it is
    ((1 + a) p_out(x) + 1 - a) / 2, from those without it alone.

    Probabilities are softened by a temperature: those of an overfitted network are so near 1, with and without the
    record, that their ratio drowns in rounding (AUC 0.89 instead of 0.97 on Location-30). The paper takes a Taylor
    expansion of the softmax with a soft margin to the same end.

    Deviations: the candidates themselves are the population. As every x meets the same z, the score rises
    with ratio(x) whatever gamma is (Lassila et al. 2025, BASE); gamma above 1 only merges ranks at the ends,
    hence the default of 1 (the paper uses 2). The temperature replaces the Taylor expansion, which needs the logits
    themselves and no longer falls where they are far below 0.

    Attributes:
        temperature: Divides the logits; above 0.
        gamma: Least likelihood ratio that counts as a win, at least 1.
        offline: Use only the references that were not trained on the record.
        a: Offline only: how p_in is guessed from p_out, in [0, 1]; 0.3 is the paper's value for CIFAR-10.

    Raises:
        UsageError: A parameter is out of its range.
    """

    gamma: float = 1.0
    offline: bool = False
    a: float = 0.3
    temperature: float = 3.0

    def __post_init__(self) -> None:
        if not (math.isfinite(self.gamma) and self.gamma >= 1):
            raise UsageError(f"RMIA's gamma is {self.gamma}.", expected="a finite number of at least 1")
        if not 0 <= self.a <= 1:
            raise UsageError(f"RMIA's a is {self.a}.", expected="a number from 0 to 1")
        if not (math.isfinite(self.temperature) and self.temperature > 0):
            raise UsageError(f"RMIA's temperature is {self.temperature}.", expected="a finite number above 0")

    def infer(self, task: MembershipTask) -> np.ndarray:
        """(n,) share of candidates over which the record wins, in [0, 1].

        Raises:
            UsageError: A record lacks a reference with it or one without it.
        """
        require_references(task, "RMIA")
        target = soften(task.target, task.labels, self.temperature)
        references = np.stack([soften(answer, task.labels, self.temperature) for answer in task.answers])
        ratio = target - self._evidence(references, task.included)  # logarithm of p(x | target) / p(x)
        wins = np.searchsorted(np.sort(ratio), ratio - math.log(self.gamma), side="right")
        return np.asarray(wins / len(ratio))

    def _evidence(self, references: np.ndarray, included: np.ndarray) -> np.ndarray:
        """(n,) logarithm of p(x)."""
        if not self.offline:
            return log_evidence(references, included)
        without = _log_mean(references, ~included)
        other = math.log(1 - self.a) if self.a < 1 else -np.inf
        both = (math.log(1 + self.a) + without, np.full_like(without, other))
        return np.asarray(np.logaddexp(*both) - math.log(2))


def soften(log_probabilities: np.ndarray, labels: np.ndarray, temperature: float) -> np.ndarray:
    """(n,) log-probability of the true class after dividing the logits of (n, classes) by a temperature."""
    logits = log_probabilities.astype(np.float64) / temperature
    return np.asarray(of_true_class(logits, labels) - np.logaddexp.reduce(logits, axis=1))


def log_evidence(references: np.ndarray, included: np.ndarray) -> np.ndarray:
    """(n,) logarithm of p(x) online, from (k, n) log-probabilities and which models were trained on each record."""
    both = (_log_mean(references, included), _log_mean(references, ~included))
    return np.asarray(np.logaddexp(*both) - math.log(2))


def _log_mean(log_values: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """(n,) logarithm of the mean over the references in ``mask``, both (k, n)."""
    chosen = np.where(mask, log_values, -np.inf)
    return np.asarray(np.logaddexp.reduce(chosen, axis=0) - np.log(mask.sum(axis=0)))
