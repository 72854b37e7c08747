"""Inputs on which independent models part ways: what a fingerprint asks about."""

from __future__ import annotations

import numpy as np

from gambeson.core.reproduce import Seed
from gambeson.data.schema import Schema

_NOISE = 0.3
"""Half-width of the noise, as a share of each feature's range."""
_BLENDS = 4
"""Blends of each row: between classes is where independent models part ways most often."""


def draw_probes(x: np.ndarray, schema: Schema, seed: Seed) -> dict[str, np.ndarray]:
    """Groups of inputs: one for each row given, and four blends.

    They depend on our data alone, never on a model, so that all models meet the same inputs by the same chance.

    Args:
        x: (n, *shape) float32, inputs of our own that need not be secret.
        schema: Bounds and kinds.
        seed: Draws them.

    Returns:
        ``plain``: as they are; ``blended``: between two; ``noisy``: with noise (categories and whole numbers: those of
        another row). Rows with one-hot groups stay as they are: a blend would break the group.
    """
    if schema.one_hot:
        return {"plain": x}
    blends = np.concatenate([_blend(x, schema, seed.child(str(number))) for number in range(_BLENDS)])
    return {"plain": x, "blended": blends, "noisy": _with_noise(x, schema, seed)}


def _blend(x: np.ndarray, schema: Schema, seed: Seed) -> np.ndarray:
    """(n, *shape) float32: each row mixed with another one, about half and half; cells of either where mixing fails.

    Args:
        x: (n, *shape) float32.
        schema: Kinds; categories and whole numbers are taken from one of the two.
        seed: Draws pairs and weights.
    """
    rng = seed.child("blend").generator()
    partner = x[rng.permutation(len(x))]
    weight = rng.uniform(0.35, 0.65, (len(x),) + (1,) * (x.ndim - 1))
    mixed = weight * x + (1 - weight) * partner
    either = np.where(rng.random(x.shape) < 0.5, x, partner)
    return np.where(schema.integer_mask(), either, mixed).astype(np.float32)


def _with_noise(x: np.ndarray, schema: Schema, seed: Seed) -> np.ndarray:
    low, high = schema.bounds()
    rng = seed.child("noise").generator()
    partner = x[rng.permutation(len(x))]
    noisy = np.clip(x + _NOISE * (high - low) * rng.uniform(-1, 1, x.shape), low, high)
    other = np.where(rng.random(x.shape) < _NOISE, partner, x)
    return np.where(schema.integer_mask(), other, noisy).astype(np.float32)
