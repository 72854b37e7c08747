"""One verdict from many detectors: conformal p-values from trusted rows that were treated like all others."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from gambeson.core.errors import InsufficientEvidence, UsageError

_TAIL = 0.2
"""Share of the calibration rows from which the far tail is continued."""
_LEAST = 12
"""Of them, so that its slope means something."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What all detectors together say of every row.

    Attributes:
        p: (n,) float64 conformal p-value of each row that is not a calibration row: at most ``alpha`` in a share
            ``alpha`` of clean rows.
        flagged: (n,) bool: p at most ``alpha``.
        alpha: Rate of false alarms that was asked for.
        evidence: (n,) float64 combined suspicion, in nats.
        leading: (n,) index of the detector that says most against the row.
        names: Detectors in the order of ``leading``.
        calibration: Number of calibration rows.
    """

    p: np.ndarray
    flagged: np.ndarray
    alpha: float
    evidence: np.ndarray
    leading: np.ndarray
    names: tuple[str, ...]
    calibration: int


def combined_verdict(
    suspicions: Mapping[str, np.ndarray],
    calibration: np.ndarray,
    *,
    alpha: float = 0.01,
    rng: np.random.Generator,
) -> Verdict:
    """Flag rows at a stated rate of false alarms.

    Half of the calibration rows tell what each detector's suspicion is worth (its tail probability among clean rows,
    continued exponentially beyond the largest); the other half, judged in the same way, tells how often clean rows
    reach a given sum. The two halves then change places, and a row's p-value is the mean of both.

    Args:
        suspicions: (n,) by detector, for all rows, calibration rows among them.
        calibration: (n,) bool, the trusted rows that were treated like all others.
        alpha: Rate of false alarms, in (0, 1).
        rng: Divides the calibration rows and breaks ties.

    Raises:
        InsufficientEvidence: Fewer than ``2 / alpha`` calibration rows.
        UsageError: ``alpha`` is outside (0, 1), or there is no detector.

    Source: Vovk et al. 2005, Algorithmic learning in a random world, section 4.1, for the p-values; the combination is
    the harmonic mean of Wilson 2019, doi:10.1073/pnas.1814092116, whose calibration is left to the other half.
    """
    if not 0 < alpha < 1 or not suspicions:
        raise UsageError(
            f"alpha is {alpha:g} for {len(suspicions)} detectors.", expected="alpha in (0, 1), a detector"
        )
    trusted = np.flatnonzero(calibration)
    if len(trusted) < 2 / alpha:
        raise InsufficientEvidence(
            f"There are {len(trusted)} trusted rows to calibrate on.",
            expected=f"at least {int(np.ceil(2 / alpha))} for a false-positive rate of {alpha:g}",
            remedy="give more rows that are known to be clean, or a larger rate",
        )
    names = tuple(suspicions)
    table = np.stack([_ranked(suspicions[name], rng) for name in names], axis=1)
    order = rng.permutation(trusted)
    halves = order[: len(order) // 2], order[len(order) // 2 :]
    rows = ~calibration
    p, sums, leads = np.zeros(int(rows.sum())), [], []
    for known, judge in (halves, halves[::-1]):
        nats = np.stack([_surprise(table[known, k], table[:, k]) for k in range(len(names))], axis=1)
        total = _together(nats)
        above = np.searchsorted(np.sort(total[judge]), total[rows], side="left")
        p += (1 + len(judge) - above) / (1 + len(judge)) / 2
        sums.append(total[rows])
        leads.append(nats[rows])
    lead = (leads[0] + leads[1]).argmax(axis=1)
    return Verdict(p, p <= alpha, alpha, (sums[0] + sums[1]) / 2, lead, names, len(trusted))


def _ranked(suspicion: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Suspicions as float64 with ties broken at random."""
    values = np.asarray(suspicion, np.float64)
    spread = np.median(np.abs(values - np.median(values))) + 1e-12
    return np.asarray(values + 1e-9 * spread * rng.standard_normal(len(values)))


def _surprise(known: np.ndarray, values: np.ndarray) -> np.ndarray:
    """-log of the share of clean rows at least as suspicious, continued beyond the largest of them."""
    ordered = np.sort(known)
    above = len(known) - np.searchsorted(ordered, values, side="left")
    nats = -np.log((1 + above) / (1 + len(known)))
    count = max(min(_LEAST, len(known)), int(_TAIL * len(known)))
    edge = ordered[-count]
    slope = max(float((ordered[-count:] - edge).mean()), 1e-12)
    far = np.log((1 + len(known)) / count) + (values - edge) / slope
    return np.asarray(np.where(values > ordered[-1], np.maximum(far, nats), nats))


def _together(nats: np.ndarray) -> np.ndarray:
    """-log of the harmonic mean of the tail probabilities."""
    largest = nats.max(axis=1, keepdims=True)
    return np.asarray(largest[:, 0] + np.log(np.exp(nats - largest).mean(axis=1)))
