"""Other libraries' membership attacks on the same targets: ART's black box, and RMIA of ML Privacy Meter."""

from __future__ import annotations

import contextlib
import importlib.util
import io
import logging
import os
import time
from pathlib import Path
from types import ModuleType

import numpy as np
import torch
from art.attacks.inference.membership_inference import MembershipInferenceBlackBox
from art.estimators.classification import PyTorchClassifier
from torch import nn

from benchmarks.membership_worlds import World
from gambeson.attacks.privacy.harness import Membership


def art_black_box(world: World, kind: str) -> Membership:
    """ART's attack, trained on half of the members and non-members, which it is told; measured on the rest."""
    module = world.target.module
    assert module is not None
    optimizer = torch.optim.Adam(module.parameters())
    classifier = PyTorchClassifier(
        module, nn.CrossEntropyLoss(), world.target.info.shape, world.target.info.classes, optimizer=optimizer,
        device_type="cpu",
    )  # fmt: skip
    attack = MembershipInferenceBlackBox(classifier, attack_model_type=kind)
    told = np.random.default_rng(world.number).random(len(world.y)) < 0.5
    inside, outside = (np.flatnonzero((world.truth == member) & told) for member in (True, False))
    attack.fit(world.x[inside], world.y[inside], world.x[outside], world.y[outside])
    scores = [
        np.asarray(attack.infer(world.x[rows], world.y[rows], probabilities=True)).reshape(len(rows), -1)[
            :, -1
        ]
        for rows in (np.flatnonzero((world.truth == member) & ~told) for member in (True, False))
    ]
    return Membership(f"ART {kind}", *scores)


def privacy_meter() -> Path | None:
    """A checkout of github.com/privacytrustlab/ml_privacy_meter, named by ``PRIVACY_METER``."""
    folder = Path(os.environ.get("PRIVACY_METER", "nowhere"))
    return folder if (folder / "attacks.py").exists() else None


def privacy_meter_rmia(world: World, folder: Path, references: int) -> Membership:
    """Its RMIA, code unchanged, on the target's and the same references' answers; ``a`` tuned as it does.

    It tunes on the model of the target's complement, which is trained here; the population are records that no model
    was trained on.
    """
    half = len(world.y) // 2
    twin = world.target.fit_new(world.x[half:], world.y[half:], 1_000 * world.number + 999)
    own = np.exp(np.asarray(world.references.answers[:references], np.float64))
    columns = [_of_true_class(np.exp(world.answers), world.y), _probability(twin, world.x, world.y)]
    signals = np.stack([*columns, *(_of_true_class(answer, world.y) for answer in own)], axis=1)
    members = np.stack([world.truth, ~world.truth, *world.references.included[:references]], axis=1)
    return rmia(folder, signals, _population(world, twin, len(own)), members, references // 2)


def rmia(
    folder: Path, signals: np.ndarray, population: np.ndarray, members: np.ndarray, references: int
) -> Membership:
    """What its ``audit_models`` does for model 0: tune ``a``, then the attack."""
    attacks = _load(folder / "attacks.py")
    a = attacks.tune_offline_a(0, signals, population, members, logging.getLogger("privacy_meter"))[0]
    scores = attacks.run_rmia(0, signals, population, members, references, a)
    return Membership("Privacy Meter", scores[members[:, 0]], scores[~members[:, 0]])


def _population(world: World, twin: object, references: int) -> np.ndarray:
    """Answers about records outside, the references' replaced by the twin's.

    Every record meets the same ones, so that they do not change its rank.
    """
    x, y = world.others
    columns = [_probability(world.target, x, y), *[_probability(twin, x, y)] * (references + 1)]
    return np.stack(columns, axis=1)


def train_like_privacy_meter(
    world: World, folder: Path, models: int, epochs: int
) -> tuple[Membership, float]:
    """Its whole run with ``models`` models of its own: its trainer, loader and RMIA. And the seconds it took."""
    trainer, mlp = _load(folder / "trainers/default_trainer.py"), _load(folder / "models/mlp.py")
    whole = _load(folder / "dataset/tabular.py").TabularDataset(world.x, world.y)
    config = {"optimizer": "Adam", "learning_rate": 1e-3, "epochs": epochs, "device": "cpu"}
    records, outside = (
        (torch.from_numpy(x), torch.from_numpy(y)) for x, y in ((world.x, world.y), world.others)
    )
    begun, rng, columns, members, seen = time.perf_counter(), np.random.default_rng(world.number), [], [], []
    for number in range(models):
        if number % 2 == 0:
            half = rng.permutation(len(world.y)) < len(world.y) // 2
        rows = half if number % 2 == 0 else ~half
        loaders = [_loader(whole, part) for part in (rows, ~rows)]
        with contextlib.redirect_stdout(io.StringIO()):
            model = trainer.train(
                mlp.MLP(world.x.shape[1], world.target.info.classes), loaders[0], config, loaders[1]
            )
        columns.append(_softmax(model, *records))
        seen.append(_softmax(model, *outside))
        members.append(rows)
    signals, population = np.stack(columns, 1), np.stack(seen, 1)
    found = rmia(folder, signals, population, np.stack(members, 1), models // 2 - 1)
    return found, time.perf_counter() - begun


def _loader(whole: torch.utils.data.Dataset, rows: np.ndarray) -> torch.utils.data.DataLoader:
    """With the settings of its ``get_dataloader``; it also asks about the other half after every epoch."""
    part = torch.utils.data.Subset(whole, np.flatnonzero(rows).tolist())
    return torch.utils.data.DataLoader(
        part, batch_size=64, shuffle=True, num_workers=4, persistent_workers=True, prefetch_factor=16
    )


def _softmax(model: nn.Module, x: torch.Tensor, y: torch.Tensor) -> np.ndarray:
    with torch.no_grad():
        return model.eval()(x).softmax(1)[torch.arange(len(y)), y].numpy()


def _probability(network: object, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    return _softmax(network.module, torch.from_numpy(x), torch.from_numpy(y))  # type: ignore[attr-defined]


def _of_true_class(probabilities: np.ndarray, y: np.ndarray) -> np.ndarray:
    return probabilities[np.arange(len(y)), y]


def _load(path: Path) -> ModuleType:
    """One file of the checkout: its package imports what this does not need."""
    spec = importlib.util.spec_from_file_location(f"privacy_meter_{path.stem}", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
