"""A linear classifier, for which the distance to the nearest adversarial input is known."""

from __future__ import annotations

import numpy as np
import torch

from gambeson.attacks.base import evasion
from gambeson.attacks.geometry import PerturbationSet
from gambeson.attacks.harness import AttackOutcome, Run, Samples, run_attack
from gambeson.core.reproduce import Seed
from gambeson.core.threat import Norm
from gambeson.data.schema import Schema
from gambeson.models.passes import Passes
from tests.tiny_models import linear

SHAPE = (1, 4, 4)
WEIGHTS = torch.tensor([3.0, -2.0, 1.0, 0.5, 2.0, -1.0, 1.5, -0.5, 1.0, -1.0, 0.7, 0.2, -2.5, 0.4, 0.9, -0.1])
DUAL = {Norm.LINF: 1, Norm.L2: 2, Norm.L1: float("inf")}


def schema() -> Schema:
    return Schema(SHAPE, ("a", "b"))


def model():
    """Class b where 2 (w . x - w . 0.5) > 0."""
    flat = linear(
        torch.stack([-WEIGHTS, WEIGHTS]).tolist(), [float(WEIGHTS.sum()) / 2, -float(WEIGHTS.sum()) / 2]
    )
    flat.module = torch.nn.Sequential(torch.nn.Flatten(), flat.module)
    flat.info = type(flat.info)("tiny", "torch", SHAPE, 2, "logits")
    return flat


def samples(n: int = 6) -> Samples:
    """Inputs near the middle, where the box does not bind, each with the label that the model gives."""
    x = 0.5 + 0.08 * (torch.rand(n, *SHAPE, generator=torch.Generator().manual_seed(3)) - 0.5)
    return Samples(x, Passes(model()).scores(x).argmax(1), np.arange(n))


def exact(norm: Norm) -> np.ndarray:
    """Distance of each sample to the boundary."""
    away = ((samples().x - 0.5).flatten(1) @ WEIGHTS).abs()
    return (away / torch.linalg.vector_norm(WEIGHTS, DUAL[norm])).numpy()


def space(norm: Norm, eps: float = float("inf")) -> PerturbationSet:
    low, high = (torch.from_numpy(b) for b in schema().bounds())
    never = torch.zeros(SHAPE, dtype=torch.bool)
    return PerturbationSet(norm, eps, low, high, torch.ones(SHAPE), never, never)


def attack(
    name: str, norm: Norm, eps: float = float("inf"), budget: int | None = None, **parameters
) -> AttackOutcome:
    """One attack on the linear model: for the nearest adversarial input, or within ``eps``."""
    entry = evasion[name]
    run = Run(Seed(0))
    return run_attack(
        entry.plugin(**parameters),
        entry.facts,
        Passes(model()),
        samples(),
        space(norm, eps),
        budget=budget,
        run=run,
    )


def excess(name: str, norm: Norm, **parameters) -> float:
    """How much further than necessary the attack went, on its worst sample: 0 is exact."""
    return float((attack(name, norm, **parameters).distance / exact(norm)).max() - 1)
