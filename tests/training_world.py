"""Two classes on a line, for which robust accuracy at any radius is known; and a task to train on them."""

from __future__ import annotations

import numpy as np
import torch
from torch import nn

from gambeson.attacks.geometry import PerturbationSet
from gambeson.attacks.harness import Run
from gambeson.core.reproduce import Seed
from gambeson.core.threat import ThreatModel
from gambeson.data.dataset import ArraySplit
from gambeson.data.schema import Schema
from gambeson.defenses.training.base import Batch
from gambeson.defenses.training.loop import Task, hold_out
from gambeson.defenses.training.plan import Plan
from gambeson.models.probing import Answer
from gambeson.models.torch_ensemble import Ensemble
from gambeson.models.torch_trainee import Trainee

SCHEMA = Schema((2,), ("a", "b"))


def space(eps: float = 0.1, norm: str = "linf") -> PerturbationSet:
    return PerturbationSet.of(ThreatModel(norm=norm, eps=eps), SCHEMA)


def rows(n: int = 400, seed: int = 0) -> ArraySplit:
    """The first feature is 0.3 or 0.7 by class, robust to 0.2; the second 0.45 or 0.55, robust to 0.05 alone."""
    rng = np.random.default_rng(seed)
    y = rng.integers(2, size=n)
    x = np.stack([0.3 + 0.4 * y, 0.45 + 0.1 * y], 1) + rng.uniform(-0.02, 0.02, (n, 2))
    return ArraySplit(x.astype(np.float32), y)


def network(seed: int = 0) -> Trainee:
    torch.manual_seed(seed)
    return Trainee(
        nn.Sequential(nn.Linear(2, 16), nn.ReLU(), nn.Linear(16, 2)), "cpu", Answer("logits", False)
    )


def ensemble(members: int = 3) -> Trainee:
    networks = [network(seed).module for seed in range(members)]
    return Trainee(Ensemble(networks, Answer("logits", False)), "cpu", Answer("logits", False))


def linear(weights, bias) -> Trainee:
    layer = nn.Linear(2, 2)
    layer.weight.data, layer.bias.data = torch.tensor(weights), torch.tensor(bias)
    return Trainee(layer, "cpu", Answer("logits", False))


def batch(n: int = 8, eps: float = 0.1) -> Batch:
    x, y = (torch.from_numpy(a) for a in rows(n).take(np.arange(n)))
    return Batch(x, y, space(eps).around(x))


def task(recipe, *, plan: Plan | None = None, eps: float = 0.1, run: Run | None = None, n: int = 400) -> Task:
    run = Run(Seed(0)) if run is None else run
    return Task(recipe, plan or Plan(epochs=4, batch=32), hold_out(rows(n), 100, run), space(eps), run)
