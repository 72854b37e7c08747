"""A model worth stealing, cheap enough for many thefts: five classes over a few numbers; inputs of the thief's own."""

from __future__ import annotations

import numpy as np
import torch

from gambeson.attacks.extraction.base import Theft
from gambeson.attacks.extraction.purse import Purse
from gambeson.core.reproduce import Seed
from gambeson.core.threat import Access
from gambeson.data.schema import Schema
from gambeson.models.passes import Passes
from tests.tiny_models import ScoreModel

FEATURES, CLASSES = 6, 5
SCHEMA = Schema((FEATURES,), tuple("abcde"))
WEIGHTS = np.random.default_rng(0).normal(0, 4, (CLASSES, FEATURES)).astype(np.float32)
BIAS = -WEIGHTS.mean(1) * FEATURES / 2


class Victim:
    """A linear model that counts the rows it was asked about."""

    def __init__(self) -> None:
        self.asked: list[np.ndarray] = []
        self.passes = Passes(ScoreModel(self.answer, (FEATURES,), CLASSES))

    def answer(self, x: np.ndarray) -> np.ndarray:
        self.asked += list(x)
        return (x @ WEIGHTS.T + BIAS).astype(np.float32)

    def purse(self, access: Access, budget: int) -> Purse:
        return Purse(self.passes, access, budget=budget)


def theft(n: int = 400, seed: int = 0, **changes) -> Theft:
    """What the thief holds: inputs with labels of his own, which are not the victim's."""
    x = torch.rand(n, FEATURES, generator=torch.Generator().manual_seed(1))
    known = {"student": "network", "updates": 120, "schema": SCHEMA, "classes": CLASSES} | changes
    return Theft(x=x, y=(3 * x[:, 0]).long(), seed=Seed(seed), **known)


def fidelity(copy) -> float:
    """Share of fresh inputs on which a copy answers as the victim."""
    x = np.random.default_rng(9).random((1_000, FEATURES)).astype(np.float32)
    return float((copy.scores(x).argmax(1) == Victim().answer(x).argmax(1)).mean())
