"""Records, networks and settings of the benchmark of private training."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from torch import nn

from examples.train_adult import NAMES
from gambeson.data.dataset import ArraySplit
from gambeson.defenses.private.encoding import Encode
from gambeson.defenses.private.features import Standardise
from gambeson.defenses.private.scattering import Scattering
from gambeson.defenses.private.trees import RandomTrees
from gambeson.models.torch_trainee import Trainee

_BOUNDS = {0: (17, 90), 2: (0, 1_500_000), 4: (1, 16), 10: (0, 99_999), 11: (0, 4_356), 12: (1, 99)}
"""Of Adult's numbers: the census' top codes and scales, not the data's own extremes."""
_SHARE = 0.8


@dataclass(frozen=True, slots=True)
class Fit:
    """A private training.

    Attributes:
        recipe: Registered name.
        epsilon: The promise.
        parameters: Of the recipe.
        epochs: Passes, or ``None`` for the recipe's.
        batch: Expected rows of a step, or ``None`` for the recipe's.
    """

    recipe: str
    epsilon: float
    parameters: dict[str, object]
    epochs: int | None = None
    batch: int | None = None


@dataclass(frozen=True, slots=True)
class World:
    """Training records, test rows, a network, and how it is trained."""

    name: str
    split: ArraySplit
    x: np.ndarray
    y: np.ndarray
    build: Callable[[], nn.Module]
    fits: tuple[Fit, ...]
    plain: float | None = None

    def right(self, network: Trainee) -> int:
        """Test rows that a network gets right."""
        with torch.no_grad():
            found = [
                network(torch.from_numpy(self.x[k : k + 64])).argmax(1) for k in range(0, len(self.x), 64)
            ]
        return int((torch.cat(found).numpy() == self.y).sum())


def digits_scattering(quick: bool) -> World | None:
    """A linear model on scattering features of MNIST."""

    def build() -> nn.Module:
        return nn.Sequential(Scattering(28), Standardise(81), nn.Flatten(), nn.Linear(3_969, 10))

    parameters: dict[str, object] = {"clip": 0.1, "learning_rate": 1.0, "delta": 1e-5, "at_once": 2_048}
    fits = tuple(Fit("private", epsilon, parameters, 40, 600 if quick else 4_096) for epsilon in (3.0, 1.0))
    return _mnist("MNIST, scattering features and a linear model", build, fits, quick)


def digits_cnn(quick: bool) -> World | None:
    """The convolutional network with tanh of Papernot et al. 2021, end to end on MNIST."""

    def build() -> nn.Module:
        return nn.Sequential(
            nn.Conv2d(1, 16, 8, 2, padding=3), nn.Tanh(), nn.MaxPool2d(2, 1), nn.Conv2d(16, 32, 4, 2), nn.Tanh(),
            nn.MaxPool2d(2, 1), nn.Flatten(), nn.Linear(512, 32), nn.Tanh(), nn.Linear(32, 10),
        )  # fmt: skip

    fits = (Fit("private", 3.0, {"delta": 1e-5}, 2 if quick else 40, 512),)
    return _mnist("MNIST, convolutional network end to end", build, fits, quick)


def _mnist(name: str, build: Callable[[], nn.Module], fits: tuple[Fit, ...], quick: bool) -> World | None:
    path = _folder() / "mnist.npz"
    if not path.exists():
        return None
    with np.load(path) as found:
        few = slice(6_000 if quick else None)
        parts = {k: found[k][few] for k in ("x_train", "y_train", "x_test", "y_test")}
    x, x_test = (parts[k].astype(np.float32)[:, None] / 255 for k in ("x_train", "x_test"))
    split = ArraySplit(x, parts["y_train"].astype(np.int64))
    return World(name, split, x_test, parts["y_test"], build, fits)


def adult(quick: bool) -> World | None:
    """Logistic regression on UCI Adult, beside scikit-learn's without privacy on the same columns."""
    path = _folder() / "adult.data.gz"
    if not path.exists():
        return None
    frame = pd.read_csv(path, names=NAMES.split(","), skipinitialspace=True)
    columns, categories = [], {}
    for place, column in enumerate(frame.columns[:-1]):
        values = frame[column]
        if place not in _BOUNDS:
            codes, names = pd.factorize(values, sort=True)
            categories[place], values = len(names), codes
        columns.append(np.asarray(values, np.float32))
    x, y = np.stack(columns, 1), (frame["income"] == ">50K").to_numpy(np.int64)
    order = np.random.default_rng(0).permutation(len(x))
    train, test = np.split(order, [int(_SHARE * len(x))])

    def build() -> nn.Module:
        encode = Encode(_BOUNDS, categories)
        layer = nn.Linear(encode.width, 2)
        nn.init.zeros_(layer.weight)
        nn.init.zeros_(layer.bias)
        return nn.Sequential(encode, layer)

    with torch.no_grad():
        encoded = build()[0](torch.from_numpy(x)).numpy()
    plain = LogisticRegression(max_iter=2_000).fit(encoded[train], y[train])
    return World(
        "Adult, logistic regression",
        ArraySplit(x[train], y[train]),
        x[test],
        y[test],
        build,
        tuple(Fit("private_regression", epsilon, {"delta": 1e-5}) for epsilon in (1.0, 0.3)),
        plain=float(plain.score(encoded[test], y[test])),
    )


def adult_trees(quick: bool) -> World | None:
    """Random trees on UCI Adult, beside scikit-learn's boosted trees without privacy."""
    linear = adult(quick)
    if linear is None:
        return None
    encode = linear.build()[0]  # type: ignore[index]

    def build() -> nn.Module:
        trees = RandomTrees(encode)
        layer = nn.Linear(trees.width, 2)
        nn.init.zeros_(layer.weight)
        nn.init.zeros_(layer.bias)
        return nn.Sequential(trees, layer)

    x, y = linear.split.take(np.arange(len(linear.split)))
    plain = HistGradientBoostingClassifier(random_state=0).fit(x, y).score(linear.x, linear.y)
    return replace(linear, name="Adult, random trees", build=build, plain=float(plain))


def _folder() -> Path:
    return Path(os.environ.get("GAMBESON_DATA", "../shared/data"))
