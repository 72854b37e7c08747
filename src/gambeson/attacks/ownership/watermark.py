"""Watermark: inputs with answers drawn by lot, which only a model that was taught them gives."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from gambeson.core.errors import UsageError
from gambeson.core.reproduce import Seed
from gambeson.core.stats import binomial_tail
from gambeson.data.schema import Schema
from gambeson.models.passes import Passes

_CELLS = 7
"""Cells along a side of an abstract picture."""


@dataclass(frozen=True, slots=True)
class TriggerSet:
    """The secret.

    Attributes:
        x: (n, *shape) float32 inputs.
        answers: (n,) int64, each class drawn with the same chance.
    """

    x: np.ndarray
    answers: np.ndarray


@dataclass(frozen=True, slots=True)
class Mark:
    """What a suspect answers to a trigger set.

    Attributes:
        matches: Inputs to which it gives the answer.
        inputs: All inputs.
        p_value: Chance of so many matches for a model that was never taught the answers. Exact.
    """

    matches: int
    inputs: int
    p_value: float


def draw_triggers(schema: Schema, classes: int, count: int, seed: Seed) -> TriggerSet:
    """Abstract inputs and answers by lot; keep the seed or the result secret.

    Pictures of coloured squares; for tables rows whose cells are drawn one by one within their bounds.

    Args:
        schema: Shape, bounds and kinds.
        classes: Number of classes.
        count: Inputs.
        seed: Draws them; whoever knows it knows the answers.

    Raises:
        UsageError: Fewer than one input is asked for.

    Source: Adi et al. 2018, Turning your weakness into a strength, arXiv:1802.04633 (abstract images, random labels).
    """
    if count < 1:
        raise UsageError(f"{count} trigger inputs were asked for.", expected="at least 1")
    rng = seed.child("triggers").generator()
    x = _pictures(schema, count, rng) if len(schema.shape) == 3 else _rows(schema, count, rng)
    return TriggerSet(x.astype(np.float32), seed.child("answers").generator().integers(0, classes, count))


def ask_suspect(passes: Passes, triggers: TriggerSet) -> np.ndarray:
    """(n,) classes that a suspect gives to the inputs.

    Raises:
        ModelError: It answered with something unusable.
    """
    return passes.scores(torch.from_numpy(triggers.x).to(passes.device)).argmax(1).cpu().numpy()


def verify_mark(predicted: np.ndarray, triggers: TriggerSet, classes: int) -> Mark:
    """Exact test of the answers that a suspect gives.

    Each answer was drawn from all classes with the same chance and without regard to any model, so a model that never
    met it matches it with chance 1 / classes, whatever it is, and independently of the others.

    Args:
        predicted: (n,) classes that the suspect gives.
        triggers: The secret.
        classes: Number of classes.
    """
    matches = int((predicted == triggers.answers).sum())
    return Mark(matches, len(predicted), binomial_tail(matches, len(predicted), 1 / classes))


def _pictures(schema: Schema, count: int, rng: np.random.Generator) -> np.ndarray:
    channels, height, width = schema.shape
    low, high = schema.bounds()
    cells = rng.random((count, channels, _CELLS, _CELLS))
    down, across = (np.arange(side) * _CELLS // side for side in (height, width))
    return np.asarray(low + (high - low) * cells[:, :, down][:, :, :, across])


def _rows(schema: Schema, count: int, rng: np.random.Generator) -> np.ndarray:
    low, high = schema.bounds()
    x = low + (high - low) * rng.random((count, *schema.shape))
    whole = schema.integer_mask()
    x = np.where(whole, np.floor(low + (high - low + 1) * rng.random(x.shape)).clip(low, high), x)
    for group in schema.one_hot:
        places = [schema.place(name) for name in group]
        x[:, places] = np.eye(len(places))[rng.integers(0, len(places), count)]
    return np.asarray(x)
