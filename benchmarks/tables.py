"""Tables: share of rows broken by valid rows, ours beside ART's attacks at the same queries, on UCI Adult."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import art.attacks.evasion as art
import numpy as np
import pandas as pd
import torch
from art.estimators.classification import BlackBoxClassifier

import gambeson as gb
from benchmarks.subjects import data_folder
from examples import train_adult
from gambeson.attacks.ensemble import Stage, stage
from gambeson.attacks.geometry import PerturbationSet
from gambeson.attacks.harness import Run, Samples, run_attack
from gambeson.core.reproduce import Seed
from gambeson.core.threat import Norm, ThreatModel
from gambeson.data.schema import Kind
from gambeson.models.passes import Passes

EPS = 0.02
FROZEN = ("race", "sex")
ROWS = 80
HEAD = f"""## Valid adversarial rows on UCI Adult

linf {EPS:.0%} of each number's range, {" and ".join(FROZEN)} frozen, relations: {train_adult.RELATIONS}. Up to {{rows}}
rows that the model gets right; ours gets the queries per row that ART's attack spent on average, and no more access.

* *found by ART*: misclassified, at any distance, whatever the row.
* *no rules*: misclassified within the radius; numbers need not be whole, relations need not hold, and what ART
  changed of frozen columns and categories is put back before it is judged. Both attack the same set.
* *valid*: misclassified within the radius, and a row that could exist. ART's rows are rounded to whole numbers first.
* *a fault in ours*: rows of ours in which a check that shares no code with the attack found one.

| model | attack of ART / ours | queries | found by ART | no rules: ART | ours \
| valid: ART | ours | ours, 1 category too | a fault in ours |
|---|---|---|---|---|---|---|---|---|---|
"""


@dataclass(frozen=True)
class Target:
    """One model of the table, the rows that it gets right, and how many rows it was shown."""

    name: str
    model: gb.Model
    samples: Samples
    data: gb.Dataset

    def space(self, categories: int = 0, *, rules: bool = True) -> PerturbationSet:
        """What an attacker may change; without rules numbers are any numbers and related to nothing."""
        threat = ThreatModel(Norm.LINF, EPS, unit="range", frozen=FROZEN, categories=categories)
        schema = self.data.schema
        if not rules:
            whole = [replace(f, kind=Kind.NUMERIC) if f.kind is Kind.INTEGER else f for f in schema.features]
            schema = replace(schema, features=tuple(whole), relations=())
        return PerturbationSet.of(threat, schema)


def tables_table(*, quick: bool) -> str | None:
    """A Markdown table, or ``None`` where the data folder is absent."""
    source = data_folder() / "adult.data.gz"
    if not source.exists():
        return None
    folder, rows = Path("build/adult"), 30 if quick else ROWS
    data = train_adult.train_all(source, folder)
    lines = []
    for name in ("adult.json", "adult.txt", "adult.skops", "adult.safetensors"):
        target = _target(data, folder / name, rows)
        for peer in _peers(target):
            lines.append(_row(target, peer))
            print(lines[-1], flush=True)
    return HEAD.format(rows=rows) + "\n".join(lines) + "\n"


def _target(data: gb.Dataset, path: Path, rows: int) -> Target:
    factory = "examples.train_adult:build" if path.suffix == ".safetensors" else None
    model = gb.open_model(str(path), schema=data.schema, factory=factory)
    x, y = (torch.from_numpy(a) for a in data.split("test").take(np.arange(rows)))
    right = (Passes(model).scores(x).argmax(1) == y).nonzero().squeeze(1)
    names = {".json": "XGBoost", ".txt": "LightGBM", ".skops": "logistic regression", ".safetensors": "MLP"}
    return Target(names[path.suffix], model, Samples(x[right], y[right], right.numpy()), data)


class Counted:
    """The model as ART sees it: features scaled to [0, 1], as its attacks want them; every row counted."""

    def __init__(self, target: Target) -> None:
        self.passes, self.rows = Passes(target.model), 0
        low, high = target.data.schema.bounds()
        self.low, self.width = low, np.where(high > low, high - low, 1).astype(np.float32)

    def __call__(self, x: np.ndarray) -> np.ndarray:
        """(n, d) scaled rows to (n, classes) probabilities."""
        self.rows += len(x)
        rows = self.back(x.astype(np.float32))
        return self.passes.scores(torch.from_numpy(rows)).softmax(1).numpy()

    def scaled(self, x: np.ndarray) -> np.ndarray:
        """Rows in input units to [0, 1]."""
        return (x - self.low) / self.width

    def back(self, x: np.ndarray) -> np.ndarray:
        """Rows in [0, 1] to input units."""
        return x * self.width + self.low


@dataclass(frozen=True)
class Peer:
    """An attack of ART, and ours with the same access."""

    name: str
    ours: str
    run: Callable[[Counted], np.ndarray]


def _peers(target: Target) -> list[Peer]:
    free = ~target.data.schema.frozen_mask(FROZEN)
    x, hot = target.samples.x.numpy(), np.eye(2, dtype=np.float32)[target.samples.y.numpy()]

    def made(attack: str, masked: bool, **parameters: object) -> Callable[[Counted], np.ndarray]:
        def run(counted: Counted) -> np.ndarray:
            seen = BlackBoxClassifier(counted, x.shape[1:], 2, clip_values=(0, 1))
            extra = {"mask": free.astype(np.float32)} if masked else {}
            made = getattr(art, attack)(seen, verbose=False, **parameters)
            return counted.back(made.generate(counted.scaled(x), hot, **extra))

        return run

    hop = {"norm": np.inf, "max_iter": 8, "max_eval": 200, "init_eval": 50, "init_size": 50}
    zoo = {"max_iter": 20, "nb_parallel": 5, "learning_rate": 0.1, "variable_h": 0.05, "batch_size": 1}
    return [
        Peer("HopSkipJump", "tabular_labels", made("HopSkipJump", True, **hop)),
        Peer("Boundary", "tabular_labels", made("BoundaryAttack", False, targeted=False, max_iter=25)),
        Peer("ZOO", "tabular", made("ZooAttack", False, use_resize=False, use_importance=False, **zoo)),
    ]


def _row(target: Target, peer: Peer) -> str:
    np.random.seed(0)
    counted, n = Counted(target), len(target.samples)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = np.asarray(peer.run(counted), np.float32)
    queries = max(2, round(counted.rows / n))
    free, loose, strict = _judged(target, theirs)
    item = stage(peer.ours, queries=queries)
    same, _ = _ours(target, item, target.space(rules=False))
    numbers, faults = _ours(target, item, target.space())
    both, more = _ours(target, item, target.space(1), 1)
    shares = (loose / n, same / n, strict / n, numbers / n, both / n)
    return (
        f"| {target.name} | {peer.name} / {peer.ours} | {queries} | {free} of {n} | "
        + " | ".join(f"{share:.3f}" for share in shares)
        + f" | {faults + more} of {numbers + both} |"
    )


def _judged(target: Target, rows: np.ndarray) -> tuple[int, int, int]:
    """How many of ART's rows are misclassified: at all, within the radius without rules, and valid."""
    schema, x = target.data.schema, target.samples.x
    low, high = schema.bounds()
    rows = rows.clip(low, high)
    put_back = np.where(schema.frozen_mask(FROZEN), x.numpy(), rows)
    whole = np.where(schema.integer_mask(), rows.round(), rows)
    counts = []
    for found, space in ((rows, None), (put_back, target.space(rules=False)), (whole, target.space())):
        asked = torch.from_numpy(found.astype(np.float32))
        wrong = Passes(target.model).scores(asked).argmax(1) != target.samples.y
        if space is not None:
            wrong &= space.around(x).contains(asked)
        counts.append(int(wrong.sum()))
    return counts[0], counts[1], counts[2]


def _ours(target: Target, item: Stage, space: PerturbationSet, categories: int = 0) -> tuple[int, int]:
    """Rows broken, and in how many of them a look with other eyes finds a fault."""
    run = Run(Seed(0), donors=target.samples.x)
    found = run_attack(item.attack, item.facts, Passes(target.model), target.samples, space, run=run)
    before, after = target.samples.x.numpy()[found.fallen], found.adversarial[found.fallen]
    names = [f.name for f in target.data.schema.features]
    frames = (pd.DataFrame(rows.astype(float), columns=names) for rows in (before, after))
    return int(found.fallen.sum()), int(_faulty(target.data, *frames, categories).sum())


def _faulty(data: gb.Dataset, before: pd.DataFrame, after: pd.DataFrame, categories: int) -> np.ndarray:
    """(n,) rows that break something, computed from the table itself: no code of the attack decides."""
    x, _ = data.split("train").take(np.arange(len(data.split("train"))))
    seen = pd.DataFrame(x.astype(float), columns=after.columns)
    kinds = {f.name: f.kind for f in data.schema.features}
    texts = [name for name, kind in kinds.items() if kind is Kind.CATEGORICAL]
    numbers = [name for name in kinds if name not in (*texts, "education_num")]
    levels = seen.groupby("education")["education_num"].first()
    low, high = (np.array([getattr(f, end) for f in data.schema.features]) for end in ("low", "high"))
    width = dict(zip(kinds, high - low, strict=True))
    fine = ((after >= low) & (after <= high)).all(axis=1) & (after == after.round()).all(axis=1)
    fine &= after["capital_net"] == after["capital_gain"] - after["capital_loss"]
    fine &= after["education_num"] < after["age"]
    fine &= after["education_num"] == after["education"].map(levels)
    fine &= (after[texts] != before[texts]).sum(axis=1) <= categories
    fine &= (after[list(FROZEN)] == before[list(FROZEN)]).all(axis=1)
    for name in numbers:
        fine &= (after[name] - before[name]).abs() <= EPS * width[name] * (1 + 1e-6)
    return ~fine.to_numpy()


if __name__ == "__main__":
    torch.set_num_threads(1)
    print(tables_table(quick=False))
