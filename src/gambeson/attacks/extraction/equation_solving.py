"""Equation solving: a model whose scores are linear in its input is computed from one query more than it has inputs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

Answer = Callable[[np.ndarray], np.ndarray]
"""(n, *shape) float32 to (n, classes) logits or log-probabilities."""


@dataclass(frozen=True, slots=True)
class Linear:
    """The model that was computed: logits = x W' + b, up to a number that is common to all classes.

    Attributes:
        weights: (classes, features) float64; each column sums to 0.
        bias: (classes,) float64; sums to 0.
        queries: Answers that it took.
    """

    weights: np.ndarray
    bias: np.ndarray
    queries: int

    def logits(self, x: np.ndarray) -> np.ndarray:
        """(n, classes) of inputs (n, *shape)."""
        return np.asarray(x.reshape(len(x), -1).astype(np.float64) @ self.weights.T + self.bias)


def solve(answer: Answer, low: np.ndarray, high: np.ndarray) -> Linear:
    """Weights and bias from the answer to the middle of the bounds and to one step along each feature.

    Softmax does not change when all logits grow by the same number, and log-probabilities are logits up to such a
    number: what is recovered are differences between classes. A feature whose bounds coincide has weight 0.

    Args:
        answer: Logits or log-probabilities of the model.
        low: Lowest values of the inputs, of the sample's shape.
        high: Highest.

    Source: Tramèr et al. 2016, Stealing machine learning models via prediction APIs, section 4.1.1; their random
    queries give the same equations in a basis that need not be as well conditioned.
    """
    middle, reach = (low + high) / 2, ((high - low) / 2).reshape(-1)
    moving = np.flatnonzero(reach > 0)
    x = np.repeat(middle[None], len(moving) + 1, axis=0).astype(np.float32)
    x.reshape(len(x), -1)[np.arange(len(moving)) + 1, moving] += reach[moving].astype(np.float32)
    logits = centred(answer(x))
    flat = x.reshape(len(x), -1).astype(np.float64)
    steps = flat[np.arange(len(moving)) + 1, moving] - flat[0, moving]
    weights = np.zeros((logits.shape[1], len(reach)))
    weights[:, moving] = ((logits[1:] - logits[0]) / steps[:, None]).T
    return Linear(weights, logits[0] - weights @ flat[0], len(x))


def centred(logits: np.ndarray) -> np.ndarray:
    """(n, classes) float64 without what is common to all classes: the same for logits and log-probabilities."""
    logits = logits.astype(np.float64)
    return np.asarray(logits - logits.mean(axis=1, keepdims=True))
