"""Models of the small table that fall to few rows, and one attack on them."""

from __future__ import annotations

import numpy as np
import torch

from gambeson.attacks.base import evasion
from gambeson.attacks.geometry import PerturbationSet
from gambeson.attacks.harness import AttackOutcome, Run, Samples, run_attack
from gambeson.core.reproduce import Seed
from gambeson.core.threat import Norm, ThreatModel
from gambeson.models.passes import Passes
from tests.tables import rows, schema
from tests.tiny_models import ScoreModel, linear

WIDTH = 12


def model(**weights: float):
    """A linear model, with gradients: class yes where the weighted columns exceed 0; ``bias`` is a constant."""
    bias = weights.pop("bias", 0.0)
    names = [f.name for f in schema().features]
    row = [weights.get(name, 0.0) for name in names]
    return linear([[0.0] * WIDTH, row], [0.0, bias])


def black_box(rule):
    """Class yes where ``rule(x)`` (n,) exceeds 0."""
    return ScoreModel(lambda x: np.stack([np.zeros(len(x)), rule(x)], 1).astype(np.float32), (WIDTH,), 2)


def attack(
    name: str,
    target,
    norm: Norm = Norm.LINF,
    eps: float = 0.3,
    categories: int = 0,
    n: int = 32,
    **parameters,
) -> tuple[AttackOutcome, np.ndarray]:
    """What one attack finds on rows with the labels that the model gives them, and these rows."""
    x = torch.from_numpy(rows(n))
    samples = Samples(x, Passes(target).scores(x).argmax(1), np.arange(n))
    space = PerturbationSet.of(ThreatModel(norm, eps, unit="range", categories=categories), schema())
    entry = evasion[name]
    run = Run(Seed(0), donors=torch.from_numpy(rows(n, seed=9)))
    found = run_attack(entry.plugin(**parameters), entry.facts, Passes(target), samples, space, run=run)
    return found, x.numpy()
