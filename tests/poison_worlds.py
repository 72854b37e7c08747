"""Small pictures and tables to poison, with networks that train in a moment."""

from __future__ import annotations

import numpy as np
import torch
from torch import nn

from gambeson.attacks.poisoning.base import PoisonTask
from gambeson.core.reproduce import Seed
from gambeson.data.schema import Feature, Kind, Schema

PICTURES = Schema((1, 8, 8), ("0", "1", "2", "3"))
TABLE = Schema(
    (4,),
    ("no", "yes"),
    0.0,
    100.0,
    (
        Feature("age", Kind.INTEGER, 0.0, 100.0),
        Feature("income", Kind.NUMERIC, 0.0, 10.0),
        Feature("debt", Kind.NUMERIC, 0.0, 10.0),
        Feature("city", Kind.CATEGORICAL, 0.0, 2.0, ("Bonn", "Kyoto", "Lima")),
    ),
)


def pictures(n: int = 240, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Pictures with a bright quarter, which is their class, under noise; (n, 1, 8, 8) and (n,)."""
    rng = np.random.default_rng(seed)
    y = rng.integers(0, 4, n)
    x = rng.uniform(0.1, 0.5, (n, 1, 8, 8)).astype(np.float32)
    for row, label in enumerate(y):
        down, right = 4 * (label // 2), 4 * (label % 2)
        x[row, 0, down : down + 4, right : right + 4] += 0.3
    return x, y.astype(np.int64)


def table(n: int = 240, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Rows of which those with more income than debt are of class 1."""
    rng = np.random.default_rng(seed)
    x = np.column_stack([rng.integers(18, 90, n), rng.uniform(0, 10, (n, 2)), rng.integers(0, 3, n)]).astype(
        np.float32
    )
    return x, (x[:, 1] > x[:, 2]).astype(np.int64)


def plain_network(inputs: int = 64, classes: int = 4) -> nn.Module:
    """A network with one hidden layer."""
    return nn.Sequential(nn.Flatten(), nn.Linear(inputs, 16), nn.ReLU(), nn.Linear(16, classes))


def picture_task(**changes: object) -> PoisonTask:
    """Pictures, a tenth of which may change towards class 1."""
    x, y = pictures()
    values = {
        "x": x,
        "y": y,
        "schema": PICTURES,
        "rate": 0.1,
        "target": 1,
        "seed": Seed(3),
        "build": plain_network,
    }
    return PoisonTask(**(values | changes))  # type: ignore[arg-type]


def table_task(**changes: object) -> PoisonTask:
    """A table, a tenth of which may change towards class 1."""
    x, y = table()
    values = {
        "x": x, "y": y, "schema": TABLE, "rate": 0.1, "target": 1, "seed": Seed(3),
        "build": lambda: plain_network(4, 2),
    }  # fmt: skip
    return PoisonTask(**(values | changes))  # type: ignore[arg-type]


def predict(module: nn.Module, x: np.ndarray) -> np.ndarray:
    """(n,) classes."""
    with torch.no_grad():
        return module(torch.from_numpy(x)).argmax(1).numpy()
