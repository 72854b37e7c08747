"""A table with a secret, and models that know it, learnt it, memorised it, or never saw it."""

from __future__ import annotations

import numpy as np

from gambeson.data.dataset import ArraySplit, Dataset
from gambeson.data.schema import Feature, Kind, Schema
from tests.tiny_models import ScoreModel

SCHEMA = Schema(
    (4,),
    ("no", "yes"),
    features=(
        Feature("a", Kind.NUMERIC, 0, 1),
        Feature("b", Kind.NUMERIC, 0, 1),
        Feature("secret", Kind.CATEGORICAL, 0, 1, ("u", "v")),
        Feature("c", Kind.NUMERIC, 0, 1),
    ),
)


def people(n: int, seed: int, noise: float = 0.5) -> ArraySplit:
    """The secret is 1 more often where ``a`` is large; the label is a coin, or the secret where noise is 0."""
    rng = np.random.default_rng(seed)
    x = rng.random((n, 4)).astype(np.float32)
    x[:, 2] = rng.random(n) < 0.3 + 0.4 * (x[:, 0] > 0.5)
    coin = rng.random(n) < noise
    return ArraySplit(x, np.where(coin, rng.integers(0, 2, n), x[:, 2].astype(int)))


def dataset(train: ArraySplit, test: ArraySplit) -> Dataset:
    return Dataset("people", SCHEMA, {"train": train, "test": test}, "sha256:0")


def model(function) -> ScoreModel:
    """A model from rows to the probability of "yes"."""

    def scores(x):
        p = np.asarray(function(x), np.float32)
        return np.stack([1 - p, p], axis=1)

    return ScoreModel(scores, (4,), 2, "probabilities")


def memorises(known: ArraySplit) -> ScoreModel:
    """Sure of the label on the rows it was trained on, as they are; undecided elsewhere."""
    table = {row.tobytes(): label for row, label in zip(known.x, known.y, strict=True)}
    return model(lambda x: [0.1 + 0.8 * table.get(row.tobytes(), 0.5) for row in x])


def never_saw() -> ScoreModel:
    """Depends on everything but the secret."""
    return model(lambda x: 0.1 + 0.8 * (x[:, 0] + x[:, 1] * x[:, 3]) / 2)


def tells() -> ScoreModel:
    """Says the secret aloud, whatever value is put in its place: it has looked it up by the other features."""
    return model(lambda x: 0.1 + 0.8 * x[:, 2])
