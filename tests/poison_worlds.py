"""Small pictures and tables to poison, with networks that train in a moment."""

from __future__ import annotations

import copy
from functools import lru_cache

import numpy as np
import torch
from torch import nn

from gambeson.attacks.poisoning.badnets import BadNets
from gambeson.attacks.poisoning.base import PoisonTask, poisonings
from gambeson.attacks.poisoning.harness import run_poisoning
from gambeson.attacks.poisoning.pupil import teach
from gambeson.core.reproduce import Seed
from gambeson.core.stats import auc
from gambeson.data.schema import Feature, Kind, Schema
from gambeson.defenses.poisoning.base import Inspection
from gambeson.defenses.poisoning.inspecting import Plan, inspect
from gambeson.defenses.poisoning.repair.base import Repair, RepairTask
from gambeson.defenses.poisoning.shortcut import Shortcuts
from gambeson.defenses.poisoning.trigger_search import Triggers
from gambeson.models.model import ModelInfo
from gambeson.models.probing import Answer
from gambeson.models.torch_trainee import Trainee
from gambeson.models.torch_training import seeded

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


@lru_cache
def poisoned_inspection() -> tuple[Inspection, np.ndarray]:
    """An inspection of 800 pictures of which a tenth carry a patch, and (n,) bool: which."""
    x, y = pictures(800, seed=1)
    task = picture_task(x=x, y=y, rate=0.1)
    attack = BadNets(size=2)
    made = run_poisoning("badnets", attack, poisonings["badnets"].facts, task)
    bad = np.zeros(len(made.y), bool)
    bad[made.changed] = True
    plan = Plan(Seed(0), epochs=2, build=plain_network)
    return inspect(made.x, made.y, pictures(400, seed=2), PICTURES, plan), bad


def separation(suspicion: np.ndarray, bad: np.ndarray) -> float:
    """Area under the ROC curve of the poisoned rows against the others."""
    return auc(suspicion[bad], suspicion[~bad]).value


class PatchModel:
    """Logits of four classes for (1, 8, 8) pictures; a bright last pixel makes class 2 certain."""

    device = "cpu"
    info = ModelInfo("patched", "torch", (1, 8, 8), 6, "logits")

    def __init__(self, strength: float = 30.0) -> None:
        generator = torch.Generator().manual_seed(0)
        weights = torch.randn(6, 64, generator=generator)
        weights -= weights.mean(1, keepdim=True)
        self.weights = 4 * weights / weights.norm(dim=1, keepdim=True)
        self.strength = strength

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        said = x.flatten(1) @ self.weights.T
        sign = torch.sigmoid(15 * (x[:, 0, 7, 7] - 0.8))
        return said + self.strength * sign[:, None] * torch.nn.functional.one_hot(torch.tensor(2), 6)

    def scores(self, x: np.ndarray) -> np.ndarray:
        with torch.no_grad():
            return self.forward(torch.from_numpy(x)).numpy()


@lru_cache
def backdoored() -> nn.Module:
    """A network on pictures of four classes whose last corner, when bright, makes it say class 1."""
    x, y = pictures(800, seed=1)
    x[:160, 0, 6:, 6:], y[:160] = 1.0, 1
    return teach(x, y, PICTURES, seed=Seed(0), epochs=4, build=plain_network).module


def triggered_pictures() -> tuple[np.ndarray, np.ndarray]:
    """Fresh pictures of other classes than 1 with a bright last corner, and their true labels."""
    x, y = pictures(300, seed=8)
    x[:, 0, 6:, 6:] = 1.0
    return x[y != 1], y[y != 1]


def repair_task() -> RepairTask:
    """200 clean rows, and the trigger as a search would reconstruct it, for class 1 alone."""
    x, y = pictures(200, seed=6)
    masks, patterns = np.zeros((4, 1, 8, 8), np.float32), np.ones((4, 1, 8, 8), np.float32)
    masks[1, 0, 6:, 6:] = 1.0
    changes = np.zeros((4, 1, 8, 8), np.float32)
    changes[1, 0, 6:, 6:] = 0.8
    triggers = Triggers(masks, patterns, masks.sum((1, 2, 3)).astype(float), np.ones(4))
    shortcuts = Shortcuts(changes, np.sqrt((changes**2).mean((1, 2, 3))).astype(float))
    return RepairTask(torch.from_numpy(x), torch.from_numpy(y), PICTURES, triggers, shortcuts, Seed(0))


def repaired(repair: Repair) -> tuple[float, float]:
    """Clean accuracy and success of the trigger after a repair of :func:`backdoored`."""
    network = Trainee(copy.deepcopy(backdoored()).requires_grad_(True), "cpu", Answer("logits", single=False))
    with seeded(0):
        repair.repair(network, repair_task())
    x, y = pictures(300, seed=8)
    sent, _ = triggered_pictures()
    return float((predict(network.module, x) == y).mean()), float((predict(network.module, sent) == 1).mean())
