"""Does one class stand out among all? A p-value for the class with the most extreme statistic."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from gambeson.core.errors import InsufficientEvidence
from gambeson.core.stats import student_tail

FEWEST = 4
"""Classes below which the others say too little about what is usual."""


@dataclass(frozen=True, slots=True)
class Standout:
    """How far one class stands out.

    Attributes:
        name: Of the test.
        values: (classes,) its statistic for each class, larger meaning more suspicious.
        label: Class with the largest one.
        t: By how many standard errors it exceeds what the others foretell.
        p: Chance that some class exceeds the others so far although all are alike; at most 1.
    """

    name: str
    values: tuple[float, ...]
    label: int
    t: float
    p: float


def standout(name: str, values: np.ndarray) -> Standout:
    """Test the largest value against the others: the deleted residual, times the number of classes.

    Normal values are assumed: give logarithms of sizes.

    Args:
        name: Of the test.
        values: (classes,) float64, larger meaning more suspicious.

    Raises:
        InsufficientEvidence: Fewer than four classes.

    Source: Grubbs 1950, in the form of Cook & Weisberg 1982, Residuals and influence in regression, section 2.2.2.1;
    Bonferroni over the classes.
    """
    count = len(values)
    if count < FEWEST:
        raise InsufficientEvidence(
            f"The model has {count} classes.",
            expected=f"at least {FEWEST}: a class stands out among others",
            remedy="scan its training data instead",
        )
    label = int(np.argmax(values))
    others = np.delete(np.asarray(values, np.float64), label)
    error = float(others.std(ddof=1)) * math.sqrt(1 + 1 / len(others))
    t = float(values[label] - others.mean()) / max(error, 1e-9)
    p = min(1.0, count * student_tail(t, len(others) - 1))
    return Standout(name, tuple(float(v) for v in values), label, t, p)


def combine(p_values: Sequence[float]) -> float:
    """One p-value from several that may depend on each other in any way: the smallest times their number.

    Source: Bonferroni's inequality.
    """
    return min(1.0, len(p_values) * min(p_values))
