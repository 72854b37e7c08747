"""Influence by gradients: a row that pulls the network against trusted rows of its own label."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from gambeson.defenses.poisoning.base import DetectorFacts, Inspection, detectors, log_softmax
from gambeson.models.torch_features import features_of


@detectors.register(
    "influence",
    DetectorFacts(
        looks_at="gradients of the last layer",
        source="Pruthi et al. 2020, TracIn, arXiv:2002.08484, sections 3 and 4 (last layer); deviation: the "
        "last checkpoint, and the trusted rows of the label as test rows",
    ),
)
@dataclass(frozen=True, slots=True)
class Influence:
    """Cosine of a row's gradient of the last layer with those of trusted rows that bear its label."""

    def suspicion(self, seen: Inspection) -> np.ndarray:
        """The less a row resembles the trusted rows of its label in what it teaches, the more suspicious."""
        trusted, logits = (
            part.numpy() for part in features_of(seen.module, torch.from_numpy(seen.x_trusted))
        )
        errors = _errors(seen.logits, seen.y)
        trusted_errors = _errors(logits, seen.y_trusted)
        out = np.zeros(len(seen.y))
        for label in seen.classes:
            rows, ours = np.flatnonzero(seen.y == label), seen.y_trusted == label
            if not ours.any() or not len(rows):
                continue
            # the gradient of a row is the outer product of its error and its features, and so is a cosine a product
            alike = _unit(errors[rows]) @ _unit(trusted_errors[ours]).T
            out[rows] = -(alike * (_unit(seen.features[rows]) @ _unit(trusted[ours]).T)).mean(axis=1)
        return out


def _errors(logits: np.ndarray, y: np.ndarray) -> np.ndarray:
    """(n, classes) gradient of the cross-entropy in the logits."""
    errors = np.exp(log_softmax(logits))
    errors[np.arange(len(y)), y] -= 1
    return np.asarray(errors)


def _unit(x: np.ndarray) -> np.ndarray:
    return np.asarray(x / (np.linalg.norm(x, axis=1, keepdims=True) + 1e-12))
