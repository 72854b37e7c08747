"""How well scores tell positives from negatives: ROC, area under it, and the rate at a fixed false alarm."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from gambeson.core.errors import InsufficientEvidence, UsageError
from gambeson.core.measurement import Interval, Measurement
from gambeson.core.stats.proportions import clopper_pearson, normal_quantile

_SLACK = 1e-9
"""0.29 * 100 is 28.999...; a count this close below a whole number is that number."""


@dataclass(frozen=True, slots=True)
class RocCurve:
    """One point for each distinct threshold, from (0, 0) to (1, 1).

    Attributes:
        fpr: (m,) false-positive rates, ascending.
        tpr: (m,) true-positive rates, ascending.
        thresholds: (m,) descending; a score at or above it counts as positive. The first is infinite.
    """

    fpr: np.ndarray
    tpr: np.ndarray
    thresholds: np.ndarray


def roc(positive: np.ndarray, negative: np.ndarray) -> RocCurve:
    """The ROC curve; tied scores share one point, so that no order among them is invented.

    Args:
        positive: (m,) scores of positives; higher means more likely positive. Infinities are allowed.
        negative: (n,) scores of negatives.

    Raises:
        InsufficientEvidence: One of them is empty.
        UsageError: A score is NaN.
    """
    positive, negative = _sorted(positive), _sorted(negative)
    thresholds = np.unique(np.concatenate([positive, negative]))[::-1]
    rates = [
        np.concatenate([[0.0], 1 - np.searchsorted(side, thresholds, side="left") / len(side)])
        for side in (negative, positive)
    ]
    return RocCurve(rates[0], rates[1], np.concatenate([[np.inf], thresholds]))


def auc(
    positive: np.ndarray,
    negative: np.ndarray,
    *,
    name: str = "auc",
    better: str = "neither",
    level: float = 0.95,
) -> Measurement:
    """Area under the ROC curve: the chance that a positive outranks a negative, a tie counting half.

    Args:
        positive: (m,) scores of positives.
        negative: (n,) scores of negatives.
        name: Name of the figure.
        better: ``"higher"``, ``"lower"`` or ``"neither"``.
        level: Nominal coverage.

    Returns:
        The area with DeLong's variance on the logit scale, which keeps the interval inside [0, 1]. Where
        all pairs agree the variance is 0 and says nothing: then the min(m, n) disjoint pairs are as many
        independent successes, and their Clopper-Pearson interval is given.

    Raises:
        InsufficientEvidence: Fewer than two positives or negatives.
        UsageError: A score is NaN.

    Source: DeLong et al. 1988; computed from midranks as in Sun & Xu 2014; logit scale: Qin & Hotilovac 2008.
    """
    positive, negative = _sorted(positive), _sorted(negative)
    m, n = len(positive), len(negative)
    if min(m, n) < 2:
        raise InsufficientEvidence(
            f"{m} positives and {n} negatives were given for an area under the ROC curve.",
            expected="at least 2 of each",
        )
    wins, losses = _placements(positive, negative), 1 - _placements(negative, positive)
    area = float(wins.mean())
    error = math.sqrt(wins.var(ddof=1) / m + losses.var(ddof=1) / n)
    interval = _area_interval(area, error, min(m, n), level)
    return Measurement(name, area, "fraction", m + n, interval, better)


def threshold_at_fpr(negative: np.ndarray, fpr: float) -> float:
    """The lowest threshold t such that at most a fraction ``fpr`` of the negatives lies strictly above it.

    Raises:
        InsufficientEvidence: There are fewer than ``1 / fpr`` negatives: no threshold can show such a rate.
        UsageError: A score is NaN, or ``fpr`` is outside (0, 1).
    """
    if not 0 < fpr < 1:
        raise UsageError(f"The false-positive rate is {fpr}.", expected="a number between 0 and 1, e.g. 0.01")
    negative = _sorted(negative)
    allowed = math.floor(fpr * len(negative) + _SLACK)
    if allowed < 1:
        raise InsufficientEvidence(
            f"A false-positive rate of {fpr:g} cannot be shown on {len(negative)} negatives.",
            expected=f"at least {math.ceil(1 / fpr - _SLACK)} of them",
            remedy="give more records that the model was not trained on",
        )
    return float(negative[-allowed - 1])


def tpr_at_fpr(
    members: np.ndarray,
    nonmembers: np.ndarray,
    fpr: float,
    *,
    name: str = "",
    better: str = "lower",
    level: float = 0.95,
) -> Measurement:
    """True-positive rate of membership inference where at most ``fpr`` of the non-members are accused.

    The threshold is a non-member's score and only scores strictly above it accuse, so ties with it count
    against the attacker. The Clopper-Pearson interval is that of the rate at this threshold; that the
    threshold itself was estimated shows in the interval of the false-positive rate, given in ``detail``.

    Args:
        members: (m,) scores of members; higher means more likely a member.
        nonmembers: (n,) scores of non-members.
        fpr: Highest false-positive rate, in (0, 1).
        name: Name of the figure; ``tpr_at_<percent>pct_fpr`` if empty.
        better: ``"higher"``, ``"lower"`` or ``"neither"``.
        level: Least coverage.

    Raises:
        InsufficientEvidence: No members, or fewer than ``1 / fpr`` non-members.
        UsageError: A score is NaN, or ``fpr`` is outside (0, 1).

    Source: Carlini et al. 2022, Membership inference attacks from first principles, section III.
    """
    threshold = threshold_at_fpr(nonmembers, fpr)
    accused, m, n = int((_sorted(members) > threshold).sum()), len(members), len(nonmembers)
    wrongly = int((np.asarray(nonmembers) > threshold).sum())
    error = clopper_pearson(wrongly, n, level)
    return Measurement(
        name or f"tpr_at_{fpr * 100:g}pct_fpr",
        accused / m,
        "fraction",
        m,
        clopper_pearson(accused, m, level),
        better,
        f"{wrongly} of {n} non-members accused: false-positive rate [{error.low:.4f}, {error.high:.4f}]",
    )


def best_threshold(positive: np.ndarray, negative: np.ndarray) -> float:
    """The threshold with the highest balanced accuracy; a score at or above it counts as positive.

    Tuned on what it is given: report its accuracy on other records only.

    Raises:
        InsufficientEvidence: One of them is empty.
        UsageError: A score is NaN.
    """
    curve = roc(positive, negative)
    return float(curve.thresholds[np.argmax(curve.tpr - curve.fpr)])


def _sorted(scores: np.ndarray) -> np.ndarray:
    scores = np.sort(np.asarray(scores, np.float64).reshape(-1))
    if not len(scores):
        raise InsufficientEvidence("There are no scores to rank.", expected="at least one of each kind")
    if np.isnan(scores[-1]):  # NaN sorts last
        raise UsageError("Some scores are NaN.", expected="numbers, infinities allowed")
    return scores


def _placements(ours: np.ndarray, theirs: np.ndarray) -> np.ndarray:
    """For each of ours the fraction of theirs that lies below it, a tie counting half; both sorted."""
    below = np.searchsorted(theirs, ours, side="left") + np.searchsorted(theirs, ours, side="right")
    return below / (2 * len(theirs))


def _area_interval(area: float, error: float, pairs: int, level: float) -> Interval:
    if error == 0 or area in (0.0, 1.0):
        exact = clopper_pearson(round(area * pairs), pairs, level)
        return Interval(exact.low, exact.high, "clopper-pearson over disjoint pairs", level)
    half = normal_quantile(level) * error / (area * (1 - area))
    middle = math.log(area / (1 - area))
    low, high = (1 / (1 + math.exp(-value)) for value in (middle - half, middle + half))
    return Interval(low, high, "delong", level)
