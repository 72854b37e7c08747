"""Equation solving through rounded or cut answers: queries where rounding hides least, many equations, a bound.

A probability p rounded by at most r tells its logarithm to r / p: least is lost where all classes are about equally
likely. So a rough model is fitted first, inputs are then chosen that it holds to be undecided between all classes (or,
where only the k largest are shown, between groups of k) and that differ as much as they can otherwise; from their
answers the model is fitted anew, and so on.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from gambeson.attacks.extraction.readings import Precision, Reading, read
from gambeson.core.errors import Unavailable
from gambeson.core.reproduce import Seed

Ask = Callable[[np.ndarray], np.ndarray]
"""(n, m) positions in [-1, 1] to (their float32 positions, answers) side by side: (n, m + classes)."""
_SPREAD = 0.5
"""Half-width, in nats, of the log-odds that undecided inputs are meant to have."""
_APART = 1.5
"""Nats by which classes that are not to be shown are meant to lie below."""
_CHOICE = 4
"""Inputs drawn for each that is asked about."""
_ROUNDS = 4
"""Times that the model is fitted anew before inputs are chosen."""
_RIDGE = 1e-9
_DOUBT = 0.01
"""Chance that the likely bound fails for any parameter."""


@dataclass(frozen=True, slots=True)
class Fit:
    """Centred parameters of a linear model of positions, with bounds.

    Attributes:
        parameters: (classes, m + 1), the constant at the origin last; each column sums to 0.
        certain: Largest error possible, of each, given that the model is linear and answers are rounded to nearest.
        likely: Error that none exceeds with probability 0.99 where roundings are independent and uniform.
        queries: Answers that it took.
    """

    parameters: np.ndarray
    certain: np.ndarray
    likely: np.ndarray
    queries: int


@dataclass
class _Answers:
    """What was asked and read so far."""

    positions: np.ndarray
    reading: Reading

    @property
    def equations(self) -> np.ndarray:
        """(n, m + 1) positions beside the constant."""
        return np.hstack([self.positions, np.ones((len(self.positions), 1))])

    def add(self, positions: np.ndarray, reading: Reading) -> None:
        self.positions = np.vstack([self.positions, positions])
        self.reading = Reading(
            np.vstack([self.reading.middle, reading.middle]), np.vstack([self.reading.half, reading.half])
        )


@dataclass(frozen=True, slots=True)
class Start:
    """What is known when it begins.

    Attributes:
        positions: (n, m) in [-1, 1], asked already.
        scores: (n, classes), the answers to them.
        origin: (m,) where the constant is wanted.
        precision: How answers are rounded.
    """

    positions: np.ndarray
    scores: np.ndarray
    origin: np.ndarray
    precision: Precision


def solve_rounded(ask: Ask, start: Start, *, queries: int, seed: Seed) -> Fit:
    """Fit a linear model to rounded answers.

    Args:
        ask: The model.
        start: Answers so far.
        queries: Most answers, those included.
        seed: Draws the positions.

    Raises:
        Unavailable: Some class is never shown beside another one, or there are too few queries.
    """
    positions, scores, precision = start.positions, start.scores, start.precision
    m, classes = positions.shape[1], scores.shape[1]
    groups = list(_groups(classes, precision.shown or classes))
    each = (queries - len(positions)) // (_ROUNDS * len(groups))
    if each * _ROUNDS < 2 * (m + 1):
        raise Unavailable(
            f"{queries} queries are too few to see through answers that are {precision}.",
            expected=f"at least {len(positions) + _ROUNDS * len(groups) * math.ceil(2 * (m + 1) / _ROUNDS)}",
        )
    known = _Answers(positions, read(scores, precision))
    for number in range(_ROUNDS):
        rough = _likeliest(known.equations, known.reading)
        for place, group in enumerate(groups):
            rng = seed.child("round", str(number), str(place)).generator()
            wanted = _undecided(rough, group, classes, rng, each)
            answered = ask(wanted if number else np.clip(wanted * rng.random((each, 1)), -1, 1))
            known.add(answered[:, :m], read(answered[:, m:], precision))
    return _with_bounds(known, start.origin, classes)


def _groups(classes: int, shown: int) -> Iterator[np.ndarray]:
    """Class 0 with so many others at a time that all are shown together."""
    for start in range(1, classes, shown - 1):
        yield np.array([0, *range(start, min(start + shown - 1, classes))])


def _undecided(
    parameters: np.ndarray, group: np.ndarray, classes: int, rng: np.random.Generator, count: int
) -> np.ndarray:
    """(count, m) random corners of the box, moved to where the classes of a group are about equally likely.

    Some go only part of the way, and of four times as many those are taken whose unlikeliest class is least unlikely:
    where the box is too small for the target, points that went all the way would huddle in a few corners.
    """
    weights, constant = parameters[:, :-1], parameters[:, -1]
    target = np.full((_CHOICE * count, classes), -_APART)
    target[:, group] = rng.uniform(-_SPREAD, _SPREAD, (len(target), len(group)))
    target -= target.mean(1, keepdims=True)
    back = np.linalg.pinv(weights, rcond=1e-3)
    corner = 0.9 * rng.choice([-1.0, 1.0], (len(target), weights.shape[1]))
    z = corner
    for _ in range(10):
        z = np.clip(z + (target - z @ weights.T - constant) @ back.T, -1, 1)
    z = corner + rng.random((len(z), 1)) ** 0.25 * (z - corner)
    logits = z @ weights.T + constant
    others = np.log(np.exp(logits - logits.max(1, keepdims=True)).sum(1)) + logits.max(1)
    return z[np.argsort(others - logits[:, group].min(1), kind="stable")[:count]]


def _likeliest(equations: np.ndarray, reading: Reading, steps: int = 100) -> np.ndarray:
    """(classes, m + 1) softmax regression on the answers read as probabilities, by Newton steps of a fixed curvature.

    Classes that an answer does not name count as improbable, which is what not being named says. Each step divides by
    the curvature's upper bound of Böhning 1992 (Multinomial logistic regression algorithm), so that none overshoots.
    """
    shown = np.isfinite(reading.half)
    p = np.where(shown, np.exp(reading.middle - reading.middle.max(1, keepdims=True)), 0.0)
    p /= p.sum(1, keepdims=True)
    gram = equations.T @ equations / 2
    gram += _RIDGE * np.trace(gram) * np.eye(len(gram))
    inverse = np.linalg.inv(gram)
    found = np.zeros((p.shape[1], equations.shape[1]))
    ahead, pace = found, 1.0
    for _ in range(steps):
        logits = equations @ ahead.T
        q = np.exp(logits - logits.max(1, keepdims=True))
        new = ahead + ((p - q / q.sum(1, keepdims=True)).T @ equations) @ inverse
        faster = (1 + math.sqrt(1 + 4 * pace**2)) / 2
        ahead, found, pace = new + (pace - 1) / faster * (new - found), new, faster
    return np.asarray(found - found.mean(0))


def _with_bounds(known: _Answers, origin: np.ndarray, classes: int) -> Fit:
    """Weighted least squares of each class's log-odds against class 0, and what the roundings can do to it."""
    equations, reading = known.equations, known.reading
    m = equations.shape[1]
    odds, certain, spread = np.zeros((classes, m)), np.zeros((classes, m)), np.zeros((classes, m))
    for c in range(1, classes):
        rows = np.isfinite(reading.half[:, c]) & np.isfinite(reading.half[:, 0])
        if np.linalg.matrix_rank(equations[rows]) < m:
            raise Unavailable(
                f"Classes 0 and {c} are shown together in {int(rows.sum())} answers.",
                expected=f"{m} that differ",
            )
        a, h, h0 = equations[rows], reading.half[rows, c], reading.half[rows, 0]
        weight = 1 / (h + h0) ** 2
        solve = np.linalg.solve(a.T @ (weight[:, None] * a), (weight[:, None] * a).T)
        solve[-1] += origin @ solve[:-1]
        odds[c] = solve @ (reading.middle[rows, c] - reading.middle[rows, 0])
        certain[c] = np.abs(solve) @ (h + h0)
        spread[c] = np.sqrt(solve**2 @ (h**2 + h0**2) / 3)  # a uniform number in ±h is sub-Gaussian with h²/3
    surely = certain * (1 - 1 / classes) + (certain.sum(0) - certain) / classes
    sigma = spread * (1 - 1 / classes) + (spread.sum(0) - spread) / classes
    width = math.sqrt(2 * math.log(2 * odds.size / _DOUBT))
    return Fit(odds - odds.mean(0), surely, np.minimum(width * sigma, surely), len(equations))
