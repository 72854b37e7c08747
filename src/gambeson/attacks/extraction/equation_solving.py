"""Equation solving: a model whose scores are linear in its input is computed from one query more than it has inputs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from gambeson.attacks.extraction.readings import Precision, Reading, detect, read
from gambeson.attacks.extraction.rounded_equations import Fit, Start, solve_rounded
from gambeson.core.errors import Unavailable
from gambeson.core.reproduce import Seed

Answer = Callable[[np.ndarray], np.ndarray]
"""(n, *shape) float32 to (n, classes) logits or log-probabilities."""

_MOST_ROUNDED = 1_000
"""Features up to which equations are solved by least squares."""


@dataclass(frozen=True, slots=True)
class Linear:
    """The model that was computed: logits = x W' + b, up to a number that is common to all classes.

    Attributes:
        weights: (classes, features) float64; each column sums to 0.
        bias: (classes,) float64; sums to 0.
        queries: Answers that it took.
        precision: How exact the answers were found to be.
        certain: Largest error that any weight or the bias can have, given that the model is linear and its answers are
            right but for their rounding.
        likely: Error that none has with probability 0.99 where roundings are independent; at most ``certain``.
    """

    weights: np.ndarray
    bias: np.ndarray
    queries: int
    precision: Precision
    certain: float
    likely: float

    def logits(self, x: np.ndarray) -> np.ndarray:
        """(n, classes) of inputs (n, *shape)."""
        return np.asarray(x.reshape(len(x), -1).astype(np.float64) @ self.weights.T + self.bias)


@dataclass(frozen=True, slots=True)
class _Box:
    """The box of inputs, and positions from -1 to 1 along the features that can move."""

    middle: np.ndarray
    reach: np.ndarray
    moving: np.ndarray

    @classmethod
    def between(cls, low: np.ndarray, high: np.ndarray) -> _Box:
        reach = ((high.astype(np.float64) - low) / 2).reshape(-1)
        return cls((low + high) / 2, reach, np.flatnonzero(reach > 0))

    @property
    def origin(self) -> np.ndarray:
        """Position of the input that is all zeros, which may lie outside."""
        return np.asarray(self.positions(np.zeros((1, *self.middle.shape)))[0])

    def inputs(self, positions: np.ndarray) -> np.ndarray:
        """(n, *shape) float32."""
        x = np.repeat(self.middle.reshape(1, -1).astype(np.float64), len(positions), axis=0)
        x[:, self.moving] += positions * self.reach[self.moving]
        return x.astype(np.float32).reshape(len(x), *self.middle.shape)

    def positions(self, x: np.ndarray) -> np.ndarray:
        """(n, m) of what float32 made of the inputs."""
        flat = x.reshape(len(x), -1).astype(np.float64) - self.middle.reshape(1, -1)
        return np.asarray(flat[:, self.moving] / self.reach[self.moving])


def solve(
    answer: Answer,
    low: np.ndarray,
    high: np.ndarray,
    *,
    probabilities: bool = False,
    queries: int | None = None,
    seed: Seed | None = None,
) -> Linear:
    """Weights and bias from the answers to the input nearest to zero and to one step along each feature.

    Softmax does not change when all logits grow by the same number, and log-probabilities are logits up to such a
    number: what is recovered are differences between classes. A feature whose bounds coincide has weight 0. Where the
    answers turn out to be rounded, or name only the likeliest classes, more queries are made.

    Args:
        answer: Logits or log-probabilities of the model.
        low: Lowest values of the inputs, of the sample's shape.
        high: Highest.
        probabilities: Whether the logarithms are of probabilities that the model gave, so that those may be rounded.
        queries: Most answers where they are rounded or cut; eleven times as many as there are features unless given.
        seed: Draws further queries.

    Raises:
        Unavailable: Answers are cut or rounded, and too few queries or too many features to see through that.

    Source: Tramèr et al. 2016, Stealing machine learning models via prediction APIs, section 4.1.1; their random
    queries give the same equations in a basis that need not be as well conditioned. Rounded answers: their section 6.1
    measures that rounding hurts; the choice of queries and the bounds are ours.
    """
    box = _Box.between(low, high)
    m, origin = len(box.moving), box.origin
    start = np.clip(origin, -1, 1)
    far = np.where(start > 0, -1.0, 1.0)
    x = box.inputs(np.vstack([start, np.where(np.eye(m, dtype=bool), far, start)]))
    positions, scores = box.positions(x), answer(x)
    precision = detect(scores, probabilities=probabilities)
    if precision.exact:
        return _linear(_by_steps(positions, read(scores, precision), origin), box, precision)
    if m > _MOST_ROUNDED:
        raise Unavailable(
            f"Answers are {precision}, and there are {m} features.", expected=f"at most {_MOST_ROUNDED}"
        )

    def ask(wanted: np.ndarray) -> np.ndarray:
        asked = box.inputs(wanted)
        return np.hstack([box.positions(asked), answer(asked)])

    most = 11 * (m + 1) if queries is None else queries
    known = Start(positions, scores, origin, precision)
    fit = solve_rounded(ask, known, queries=most, seed=seed or Seed(0))
    return _linear(fit, box, precision)


def _by_steps(positions: np.ndarray, reading: Reading, origin: np.ndarray) -> Fit:
    """From one input and one step along each feature, one equation for each parameter."""
    steps, away = (positions[1:] - positions[0]).diagonal()[:, None], origin - positions[0]
    middle, half = centred(reading.middle), reading.half + reading.half.mean(1, keepdims=True)
    slopes, error = (middle[1:] - middle[0]) / steps, (half[1:] + half[0]) / np.abs(steps)
    found = np.vstack([slopes, middle[0] + away @ slopes]).T
    bound = np.vstack([error, half[0] + np.abs(away) @ error]).T
    return Fit(found, bound, bound, len(positions))


def _linear(fit: Fit, box: _Box, precision: Precision) -> Linear:
    """In input units."""
    scale = np.append(box.reach[box.moving], 1.0)
    weights = np.zeros((len(fit.parameters), len(box.reach)))
    weights[:, box.moving] = (fit.parameters / scale)[:, :-1]
    certain, likely = (float((bound / scale).max()) for bound in (fit.certain, fit.likely))
    return Linear(weights, fit.parameters[:, -1], fit.queries, precision, certain, likely)


def centred(logits: np.ndarray) -> np.ndarray:
    """(n, classes) float64 without what is common to all classes: the same for logits and log-probabilities."""
    logits = logits.astype(np.float64)
    return np.asarray(logits - logits.mean(axis=1, keepdims=True))
