"""Ownership: copies of a network and networks trained independently of it, each held against it."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

import gambeson as gb
from gambeson.attacks.ownership.fingerprint import take_fingerprint
from gambeson.attacks.surrogate import Surrogate, default_network
from gambeson.core.reproduce import Seed
from gambeson.core.threat import Access
from gambeson.models.model import ModelInfo
from gambeson.models.passes import Passes
from gambeson.models.torch_training import train

REFERENCES, INDEPENDENT = 16, 5
_INFO = ModelInfo("digits", "torch", (1, 8, 8), 10, "logits")


@dataclass
class World:
    """Training rows of the owner, other rows of a thief, and rows to ask about."""

    x: Tensor
    y: Tensor
    stolen_x: Tensor
    stolen_y: Tensor
    asked: np.ndarray
    schema: gb.Schema


def ownership_table(*, quick: bool) -> str:
    """A Markdown table: p-values from scores and from labels of every suspect, for several owners."""
    world = _world()
    found: dict[str, list[tuple[float, float, float]]] = {}
    for owner in range(1 if quick else 3):
        ours, references, suspects = _models(world, 1_000 * owner)
        for name, suspect in suspects.items():
            asked = world.asked, world.schema
            told = take_fingerprint(ours, suspect, references, *asked, access=Access.SCORES, seed=Seed(owner))
            assert told.scores is not None
            single = told.scores.p_value, told.labels.p_value
            found.setdefault(name, []).append((*single, min(1.0, 2 * min(single))))
        print(owner, {name: np.round(rows[-1], 4).tolist() for name, rows in found.items()}, flush=True)
    lines = [
        "## Ownership: copies against independent models",
        "",
        f"A perceptron 64-32-10 on {len(world.x)} of scikit-learn's digits, {REFERENCES} references trained on the "
        f"same rows from other starts, {len(world.asked)} held-out inputs, plain, blended and noisy. The thief has "
        f"{len(world.stolen_x)} other digits. Independent models are no references; all but the last two were trained "
        "on the owner's very rows. P-values of the kinship test for each of "
        f"{len(next(iter(found.values())))} owners (other weights, references and thefts).",
        "",
        "| suspect | p from scores | p from labels | p of the verdict (twice the smaller) |",
        "|---|---|---|---|",
        *(f"| {name} | {' | '.join(_cells(rows))} |" for name, rows in found.items()),
        "",
        _false_alarms(found),
    ]
    return "\n".join(lines) + "\n"


def _cells(rows: list[tuple[float, float, float]]) -> list[str]:
    return [", ".join(f"{row[i]:.2g}" for row in rows) for i in range(3)]


def _false_alarms(found: dict[str, list[tuple[float, float, float]]]) -> str:
    p = np.array([row[2] for name, rows in found.items() if name.startswith("independent") for row in rows])
    return (
        f"Of {len(p)} independent suspects, {int((p < 0.01).sum())} have p below 0.01 and {int((p < 0.05).sum())} "
        f"below 0.05; the smallest is {p.min():.2g}."
    )


def _world() -> World:
    data = gb.open_dataset("builtin:digits")
    parts = [data.split(name) for name in ("train", "test")]
    x, y = (
        torch.from_numpy(np.concatenate(column))
        for column in zip(*(part.take(np.arange(len(part))) for part in parts), strict=True)
    )
    order = torch.randperm(len(x), generator=torch.Generator().manual_seed(0))
    owner, thief, asked = order[:700], order[700:1_400], order[1_400:]
    return World(x[owner], y[owner], x[thief], y[thief], x[asked].numpy(), data.schema)


def _models(world: World, seed: int) -> tuple[Passes, list[Passes], dict[str, Passes]]:
    ours = _fit(_network, world.x, world.y, seed)
    references = [_fit(_network, world.x, world.y, seed + 100 + i) for i in range(REFERENCES)]
    x, y, other = world.stolen_x, world.stolen_y, lambda: default_network(world.schema, 10)
    said = ours.scores(x)
    generator = torch.Generator().manual_seed(seed)
    wide = torch.cat([x, *(_blend(x, generator) for _ in range(4))])
    answers = ours.scores(wide)
    module = ours.model.module
    suspects = {
        "fine-tuned on the thief's data": _fit(_from(module), x, y, seed + 200, 100),
        "half of the weights pruned, then fine-tuned": _fit(_from(_pruned(module)), x, y, seed + 201, 100),
        "weights rounded to 4 bits": _passes(_rounded(module)),
        "distilled from scores": _fit(_network, x, said.softmax(1), seed + 202, 2_000),
        "distilled from scores of blended inputs": _fit(
            _network, wide, answers.softmax(1), seed + 203, 2_000
        ),
        "extracted by labels": _fit(_network, x, said.argmax(1), seed + 204, 2_000),
        "extracted by labels of blended inputs": _fit(_network, wide, answers.argmax(1), seed + 205, 2_000),
        "distilled into another architecture": _fit(other, wide, answers.softmax(1), seed + 206, 2_000),
    }
    for i in range(INDEPENDENT):
        suspects[f"independent {i + 1}"] = _fit(_network, world.x, world.y, seed + 300 + i)
    suspects["independent, the thief's data"] = _fit(_network, x, y, seed + 400)
    suspects["independent, another architecture"] = _fit(other, world.x, world.y, seed + 401)
    return ours, references, suspects


def _network() -> nn.Module:
    return nn.Sequential(nn.Flatten(), nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 10))


def _fit(build: Callable[[], nn.Module], x: Tensor, y: Tensor, seed: int, updates: int = 800) -> Passes:
    return _passes(train(build, lambda raw: raw.log_softmax(1), x, y, seed=seed, updates=updates))


def _passes(module: nn.Module) -> Passes:
    return Passes(Surrogate(module.eval().requires_grad_(False), _INFO))


def _from(module: nn.Module) -> Callable[[], nn.Module]:
    return lambda: copy.deepcopy(module).requires_grad_(True)


def _pruned(module: nn.Module) -> nn.Module:
    other = copy.deepcopy(module)
    for weight in other.parameters():
        weight.data *= weight.abs() > weight.abs().median()
    return other


def _rounded(module: nn.Module) -> nn.Module:
    other = copy.deepcopy(module)
    for weight in other.parameters():
        step = weight.abs().max() / 7
        weight.data = (weight / step).round() * step
    return other


def _blend(x: Tensor, generator: torch.Generator) -> Tensor:
    partner = x[torch.randperm(len(x), generator=generator)]
    weight = 0.3 + 0.4 * torch.rand((len(x), 1, 1, 1), generator=generator)
    return weight * x + (1 - weight) * partner
