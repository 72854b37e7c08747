"""What a detector of poisoned rows is: one function from an inspection to a suspicion for every row."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from torch import nn

from gambeson.core.registry import Registry
from gambeson.core.reproduce import Seed
from gambeson.data.schema import Schema


@dataclass(frozen=True, slots=True)
class DetectorFacts:
    """What a detector declares.

    Attributes:
        looks_at: What it judges by, in a few words, for tables.
        source: Paper and section.
        pictures_only: Whether it makes sense for pictures alone.
    """

    looks_at: str
    source: str
    pictures_only: bool = False


@dataclass(frozen=True, slots=True)
class Inspection:
    """Rows under suspicion together with trusted ones, and the networks that were trained to judge them.

    Suspected rows and ``calibration`` rows are treated alike everywhere, trained on included, so that a clean
    suspected row and a calibration row can be exchanged: that is what makes the p-values valid.

    Attributes:
        x: (n, *shape) float32: all rows, calibration rows among them.
        y: (n,) int64 labels as given.
        schema: Shape, bounds and classes.
        x_trusted: (t, *shape) other trusted rows, which detectors may use as they like.
        y_trusted: (t,) their labels.
        module: Network trained on all rows.
        features: (n, d) float32: what its last layer looks at.
        logits: (n, classes) float32.
        losses: (passes, n) float32 cross-entropy of every row after every pass of that training.
        held_out: (n, classes) float32 log-probabilities by networks that were not trained on the row.
        trusted_answers: (n, classes) float32 log-probabilities by a network trained on the trusted rows alone.
        confused: (n, classes) float32 log-probabilities by a network that cannot use what clean rows have in common.
        seed: For detectors that draw.
    """

    x: np.ndarray
    y: np.ndarray
    schema: Schema
    x_trusted: np.ndarray
    y_trusted: np.ndarray
    module: nn.Module
    features: np.ndarray
    logits: np.ndarray
    losses: np.ndarray
    held_out: np.ndarray
    trusted_answers: np.ndarray
    confused: np.ndarray
    seed: Seed

    @property
    def classes(self) -> range:
        """Class numbers."""
        return range(len(self.schema.classes))


class Detector(Protocol):
    """A frozen dataclass of parameters with one function."""

    def suspicion(self, seen: Inspection) -> np.ndarray:
        """(n,) float64: higher means more likely poisoned; only the order of the rows counts.

        Raises:
            Unavailable: It does not work on such data.
        """


detectors: Registry[Callable[..., Detector], DetectorFacts] = Registry(
    "detector",
    (
        "gambeson.defenses.poisoning.activation_clustering",
        "gambeson.defenses.poisoning.confident_learning",
        "gambeson.defenses.poisoning.confusion",
        "gambeson.defenses.poisoning.frequency",
        "gambeson.defenses.poisoning.influence",
        "gambeson.defenses.poisoning.loss_dynamics",
        "gambeson.defenses.poisoning.robust_whitening",
        "gambeson.defenses.poisoning.scale_up",
        "gambeson.defenses.poisoning.spectral",
        "gambeson.defenses.poisoning.strip",
        "gambeson.defenses.poisoning.trusted_gap",
    ),
)


def of_label(log_probabilities: np.ndarray, y: np.ndarray) -> np.ndarray:
    """(n,) float64 entries of the given labels of (n, classes)."""
    return np.asarray(log_probabilities[np.arange(len(y)), y], np.float64)


def log_softmax(logits: np.ndarray) -> np.ndarray:
    """(..., classes) float64 log-probabilities."""
    shifted = np.asarray(logits, np.float64) - logits.max(axis=-1, keepdims=True)
    return np.asarray(shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True)))
