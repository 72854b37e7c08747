"""Data and attacks of the benchmarks on poisoning: MNIST and CIFAR-10, small networks, results kept cell by cell."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

import gambeson as gb
from gambeson.attacks.poisoning.base import Backdoor, Poisoning, PoisonTask, poisonings
from gambeson.attacks.poisoning.harness import Poisoned, run_poisoning
from gambeson.core.reproduce import Seed
from gambeson.core.stats import wilson
from gambeson.data.schema import Schema

KEPT = Path("build/benchmarks/cells")
"""Results of single cells, so that an interrupted benchmark goes on where it stopped."""
_FILES = {"MNIST": "mnist.npz", "CIFAR-10": "cifar10_train_jpeg.npz"}

Rows = tuple[np.ndarray, np.ndarray]


@dataclass(frozen=True, slots=True)
class Bench:
    """One dataset: rows to be poisoned, trusted rows, and rows to measure on."""

    name: str
    schema: Schema
    train: Rows
    trusted: Rows
    test: Rows
    epochs: int


@dataclass(frozen=True, slots=True)
class Plot:
    """One attack as it is run in a benchmark."""

    title: str
    attack: str
    rate: float
    parameters: tuple[tuple[str, float], ...] = ()


PLOTS = {
    "MNIST": (
        Plot("BadNets 1%", "badnets", 0.01),
        Plot("BadNets 5%", "badnets", 0.05),
        Plot("blended 5%", "blended", 0.05),
        Plot("SIG 5%", "sinusoid", 0.05, (("strength", 0.2), ("sent", 0.3))),
        Plot("WaNet 5%", "warp", 0.05, (("strength", 1.5),)),
        Plot("clean-label 5%", "clean_label", 0.05, (("eps", 0.4), ("size", 4))),
        Plot("label flip 5%", "label_flip", 0.05),
    ),
    "CIFAR-10": (
        Plot("BadNets 1%", "badnets", 0.01),
        Plot("BadNets 5%", "badnets", 0.05),
        Plot("blended 5%", "blended", 0.05),
        Plot("SIG 5%", "sinusoid", 0.05),
        Plot("WaNet 5%", "warp", 0.05, (("strength", 4.0),)),
        Plot("clean-label 5%", "clean_label", 0.05, (("eps", 0.1),)),
        Plot("label flip 5%", "label_flip", 0.05),
    ),
}


def data_folder() -> Path:
    """Where the optional data lie."""
    return Path(os.environ.get("GAMBESON_DATA", "../shared/data"))


def bench(name: str, rows: int, trusted: int, test: int = 1_000) -> Bench | None:
    """The first rows, the next ones as trusted rows, the last ones to measure on; ``None`` without the data."""
    path = data_folder() / _FILES[name]
    if not path.exists():
        return None
    data = gb.open_dataset(str(path))
    split = data.split("train")
    at = np.cumsum([0, rows, trusted, test])
    parts = [split.take(np.arange(a, b)) for a, b in pairwise(at.tolist())]
    return Bench(name, data.schema, parts[0], parts[1], parts[2], 4 if name == "MNIST" else 10)


def poison(
    world: Bench, plot: Plot, seed: int = 0, target: int = 0
) -> tuple[Poisoning, PoisonTask, Poisoned]:
    """The training rows after an attack that wants class ``target``."""
    attack = poisonings.make(plot.attack, dict(plot.parameters))
    task = PoisonTask(*world.train, world.schema, plot.rate, target, Seed(seed).child("poison", plot.attack))
    return attack, task, run_poisoning(plot.attack, attack, poisonings[plot.attack].facts, task)


def success(
    predict: Callable[[np.ndarray], np.ndarray], world: Bench, attack: Poisoning, task: PoisonTask
) -> float:
    """Share of test rows of other classes that the trigger turns into the target; NaN without a trigger."""
    if not isinstance(attack, Backdoor):
        return float("nan")
    x, y = world.test
    sent = attack.stamp(x[y != task.target], world.schema, task.seed)
    return float((predict(sent) == task.target).mean())


def cell(name: str, quick: bool, make: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """A result by name: read where it was kept, or made and kept."""
    path = KEPT / f"{name.replace(' ', '_').replace('%', 'pct')}{'-quick' if quick else ''}.json"
    if path.exists():
        return dict(json.loads(path.read_text(encoding="utf-8")))
    found = make()
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(found), encoding="utf-8")
    return found


def share(hits: int, n: int) -> str:
    """A rate in percent with its 95% interval."""
    if n == 0:
        return ""
    ends = wilson(hits, n)
    return f"{hits / n:.1%} [{ends.low:.1%}, {ends.high:.1%}]"
