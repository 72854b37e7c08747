"""Fingerprint: the kinship of a suspect, calibrated on models made independently of ours."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch

from gambeson.attacks.ownership.kinship import Outlier, kinship, of_labels, of_scores, typicality
from gambeson.attacks.ownership.probes import draw_probes
from gambeson.core.reproduce import Seed
from gambeson.core.threat import Access
from gambeson.data.schema import Schema
from gambeson.models.model import Model, Trainable
from gambeson.models.passes import Passes


def independent_models(
    ours: Trainable, x: np.ndarray, y: np.ndarray, count: int, seed: Seed, report: Callable[[], None]
) -> list[Model]:
    """Models of our kind, trained on our data from other starts.

    Args:
        ours: Only its kind and hyper-parameters are used.
        x: (n, *shape) float32 training data.
        y: (n,) int64 labels.
        count: How many.
        seed: Draws the starts.
        report: Called after each.

    Raises:
        ModelError: Training failed.
    """
    made = []
    for number in range(count):
        made.append(ours.fit_new(x, y, seed.child("independent", str(number)).integer()))
        report()
    return made


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """How akin a suspect is to our model.

    Attributes:
        scores: Kinship of the scores; ``None`` where the suspect was asked for labels only. Sees what was tuned,
            pruned or distilled.
        labels: Kinship of the predicted classes. Sees copies that were trained on classes and are sure of them.
        typical: P-value that our model is like the references.
    """

    scores: Outlier | None
    labels: Outlier
    typical: float


def take_fingerprint(
    ours: Passes,
    suspect: Passes,
    references: Sequence[Passes],
    x: np.ndarray,
    schema: Schema,
    *,
    access: Access,
    seed: Seed,
) -> Fingerprint:
    """Ask all models about probes of our own and test whether the suspect is one more independent model.

    Args:
        ours: Our model.
        suspect: The suspect.
        references: Models made independently of ours; at least five.
        x: (n, *shape) float32 inputs of our own.
        schema: Bounds and kinds.
        access: What is asked of the suspect: labels, or anything above for scores.
        seed: Draws the probes.

    Raises:
        InsufficientEvidence: There are fewer than five references.
        ModelError: A model answered with something unusable.
    """
    probes = np.concatenate(list(draw_probes(x, schema, seed).values()))
    raw = [_scores(passes, probes) for passes in (ours, suspect, *references)]
    labels = np.stack([of_labels(rows) for rows in raw])
    scores = None if access is Access.LABELS else kinship(np.stack([of_scores(rows) for rows in raw]))
    return Fingerprint(scores, kinship(labels), typicality(labels))


def _scores(passes: Passes, x: np.ndarray) -> np.ndarray:
    return passes.scores(torch.from_numpy(x).to(passes.device)).double().cpu().numpy()
