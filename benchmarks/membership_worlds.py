"""Targets of the membership benchmark: their records, who is a member, and reference models on random halves."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np
import torch
from torch import nn

from benchmarks.subjects import data_folder
from gambeson.attacks.harness import Run
from gambeson.attacks.privacy.features import features_of
from gambeson.attacks.privacy.harness import Candidates
from gambeson.attacks.privacy.pool import Pool
from gambeson.attacks.privacy.references import References, Training, train_references
from gambeson.attacks.privacy.scoring import log_probabilities
from gambeson.core.ports import Executor, SameProcess
from gambeson.core.reproduce import Seed
from gambeson.data.dataset import ArraySplit
from gambeson.models.model import ModelInfo
from gambeson.models.passes import Passes
from gambeson.models.torch_training import BATCH, train

HIDDEN = 128


def location() -> nn.Module:
    """The overfitted perceptron."""
    return nn.Sequential(nn.Linear(446, HIDDEN), nn.Tanh(), nn.Linear(HIDDEN, 30))


def location_regularised() -> nn.Module:
    """The same with dropout."""
    return nn.Sequential(
        nn.Dropout(0.3), nn.Linear(446, HIDDEN), nn.Tanh(), nn.Dropout(0.5), nn.Linear(HIDDEN, 30)
    )


def mnist() -> nn.Module:
    """The overfitted convolutional network."""
    return nn.Sequential(
        nn.Conv2d(1, 16, 5, stride=2, padding=2), nn.ReLU(), nn.Conv2d(16, 32, 5, stride=2, padding=2), nn.ReLU(),
        nn.Flatten(), nn.Linear(32 * 49, 64), nn.ReLU(), nn.Linear(64, 10),
    )  # fmt: skip


def mnist_regularised() -> nn.Module:
    """The same with dropout."""
    layers = list(mnist())
    return nn.Sequential(*layers[:5], nn.Dropout(0.5), *layers[5:7], nn.Dropout(0.5), layers[7])


@dataclass(frozen=True)
class Network:
    """A network behind the seam that can be trained anew, here or in another process."""

    build: Callable[[], nn.Module]
    epochs: int
    info: ModelInfo
    module: nn.Module | None = None

    def scores(self, x: np.ndarray) -> np.ndarray:
        """Logits."""
        assert self.module is not None
        with torch.no_grad():
            return self.module(torch.from_numpy(x)).numpy()

    def fit_new(self, x: np.ndarray, y: np.ndarray, seed: int) -> Network:
        """Trained on other records."""
        updates = self.epochs * -(-len(x) // BATCH)
        rows = torch.from_numpy(x), torch.from_numpy(y)
        module = train(self.build, lambda raw: raw.log_softmax(1), *rows, seed=seed, updates=updates)
        return replace(self, module=module.eval())


@dataclass(frozen=True)
class Kind:
    """A task: where its records are, and what is trained on a random half of ``records`` of them."""

    name: str
    file: str
    records: int
    build: Callable[[], nn.Module]
    epochs: int
    targets: int


KINDS = (
    Kind("Location-30, overfitted", "location30.npz", 3_758, location, 100, 10),
    Kind("Location-30, regularised", "location30.npz", 3_758, location_regularised, 20, 3),
    Kind("MNIST subset, overfitted", "mnist.npz", 4_000, mnist, 30, 3),
    Kind("MNIST subset, regularised", "mnist.npz", 4_000, mnist_regularised, 15, 3),
)


@dataclass(frozen=True)
class World:
    """One target. The first half of the records are its members."""

    kind: Kind
    number: int
    x: np.ndarray
    y: np.ndarray
    others: tuple[np.ndarray, np.ndarray]
    target: Network
    references: References

    @cached_property
    def pool(self) -> Pool:
        """The records as the product sees them."""
        return _pool(self.x, self.y)

    @property
    def truth(self) -> np.ndarray:
        """(n,) bool: who is a member."""
        return self.pool.truth

    def candidates(self, references: int, truth: np.ndarray | None = None) -> Candidates:
        """What the harness wants, with so many reference models, and another truth where one is given."""
        kept = References(
            self.references.answers[:references], self.references.included[:references], references
        )
        features = features_of(self.pool, Seed(self.number))
        told = self.truth if truth is None else truth
        return Candidates(self.answers, self.y, told, kept, features)

    @cached_property
    def answers(self) -> np.ndarray:
        """(n, classes) log-probabilities of the target."""
        return log_probabilities(Passes(self.target), self.pool)


def make_world(kind: Kind, number: int, references: int, executor: Executor | None = None) -> World | None:
    """Draw the records, train the target on half of them and the references; ``None`` without the data folder."""
    path = data_folder() / kind.file
    if not path.exists():
        return None
    x, y, shape, classes = _read(path)
    order = np.random.default_rng(number).permutation(len(x))
    chosen, rest = order[: kind.records], order[kind.records : 2 * kind.records]
    half = kind.records // 2
    info = ModelInfo(kind.name, "torch", shape, classes, "logits")
    blank = Network(kind.build, kind.epochs, info)
    target = blank.fit_new(x[chosen[:half]], y[chosen[:half]], 1_000 * number)
    training = Training(128, executor or SameProcess())
    run = Run(Seed(number).child("references"))
    found = train_references(blank, _pool(x[chosen], y[chosen]), references, training, run)
    return World(kind, number, x[chosen], y[chosen], (x[rest], y[rest]), target, found)


def _pool(x: np.ndarray, y: np.ndarray) -> Pool:
    half = len(x) // 2
    parts = ArraySplit(x[:half], y[:half]), ArraySplit(x[half:], y[half:])
    return Pool(*parts, np.arange(half), np.arange(len(x) - half), y)


def _read(path: Path) -> tuple[np.ndarray, np.ndarray, tuple[int, ...], int]:
    with np.load(path) as data:
        if "x" in data.files:
            x, y = data["x"].astype(np.float32), data["y"].astype(np.int64)
        else:
            x = data["x_train"][:20_000, None].astype(np.float32) / 255
            y = data["y_train"][:20_000].astype(np.int64)
    y = y - y.min()
    return x, y, x.shape[1:], int(y.max()) + 1
