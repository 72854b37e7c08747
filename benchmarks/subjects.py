"""The models and samples that the benchmarks attack."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save_file
from torch import nn

import gambeson as gb
from examples import resnet20 as resnet20_example
from examples import train_digits, train_robust
from gambeson.attacks.harness import Samples
from gambeson.models.passes import Passes


@dataclass(frozen=True)
class Subject:
    """A model to attack, as a module for the peers and behind the seam for us, with samples that it gets right."""

    name: str
    module: nn.Module
    model: gb.Model
    samples: Samples
    schema: gb.Schema
    radii: tuple[float, ...]


def data_folder() -> Path:
    """Where public data lies that the repository does not hold."""
    return Path(os.environ.get("GAMBESON_DATA", "../shared/data"))


def digits(count: int = 300) -> Subject:
    """The digits network of the demo."""
    data = gb.open_dataset("builtin:digits")
    folder = Path("demo")
    x, y = train_digits.load_split(data, "train")
    train_digits.save(train_digits.train(x, y, seed=0), folder)
    model = gb.open_model(
        str(folder / "digits.safetensors"), schema=data.schema, factory="examples.train_digits:build"
    )
    return _subject("digits CNN", model, data, count, (0.05, 0.1))


def resnet20(count: int = 128) -> Subject | None:
    """The public ResNet-20 with ``count`` test samples that it gets right; ``None`` without the data folder."""
    found = _resnet20()
    return None if found is None else _subject("ResNet-20", *found, count, (0.5 / 255, 1 / 255))


def undefended(count: int, start: int) -> Subject | None:
    """The public ResNet-20 at 8/255, like ``robust``."""
    found = _resnet20()
    return None if found is None else _taken("ResNet-20", *found, count, start, 8 / 255)


def _resnet20() -> tuple[gb.Model, gb.Dataset] | None:
    folder = data_folder()
    weights, images = folder / "models" / "resnet20_cifar10.safetensors", folder / "cifar10_test_jpeg.npz"
    if not (weights.exists() and images.exists()):
        return None
    options = gb.DataOptions.from_pairs((("test_fraction", "1"),))
    data = gb.open_dataset(str(images), options=options)
    return gb.open_model(str(weights), schema=data.schema, factory=f"{resnet20_example.__file__}:build"), data


def robust(name: str, count: int = 500, start: int = 0) -> Subject | None:
    """A small network trained on adversarial examples (``mnist``, linf 0.3, or ``cifar10``, 2/255).

    ``count`` test samples from number ``start`` on, without those that it gets wrong. Trained at the first call, some
    minutes, and kept in build/; ``None`` where the data folder is absent.
    """
    folder = data_folder()
    train, test, eps, rows, steps, epochs = {
        "mnist": ("mnist.npz", "mnist.npz", 0.3, 60_000, 12, 12),
        "cifar10": ("cifar10_train_jpeg.npz", "cifar10_test_jpeg.npz", 2 / 255, 20_000, 5, 8),
    }[name]
    if not (folder / train).exists():
        return None
    weights = Path("build") / f"{name}_robust.safetensors"
    if not weights.exists():
        x, y = train_digits.load_split(_open(folder / train, "0.02"), "train")
        torch.manual_seed(0)
        network = train_robust.network(*x.shape[1:3])
        network = train_robust.train(network, x[:rows], y[:rows], eps=eps, steps=steps, epochs=epochs)
        weights.parent.mkdir(exist_ok=True)
        save_file(network.state_dict(), weights)
    data = _open(folder / test, "1")
    model = gb.open_model(str(weights), schema=data.schema, factory=f"{train_robust.__file__}:{name}")
    return _taken(f"robust {name} CNN", model, data, count, start, eps)


def _taken(name: str, model: gb.Model, data: gb.Dataset, count: int, start: int, eps: float) -> Subject:
    """Of ``count`` test samples from number ``start`` on, those that the model gets right."""
    split = data.split("test")
    x, y = (torch.from_numpy(a) for a in split.take(np.arange(start, start + count)))
    right = (Passes(model).scores(x).argmax(1) == y).nonzero().squeeze(1)
    samples = Samples(x[right], y[right], start + right.numpy())
    return Subject(name, model.network.module, model, samples, data.schema, (eps,))


def _open(path: Path, test_fraction: str) -> gb.Dataset:
    """A data file, divided where it has no splits of its own."""
    pairs = () if path.name == "mnist.npz" else (("test_fraction", test_fraction),)
    return gb.open_dataset(str(path), options=gb.DataOptions.from_pairs(pairs))


def _subject(name: str, model: gb.Model, data: gb.Dataset, count: int, radii: tuple[float, ...]) -> Subject:
    split = data.split("test")
    x, y = (torch.from_numpy(a) for a in split.take(np.arange(min(2 * count, len(split)))))
    right = (Passes(model).scores(x).argmax(1) == y).nonzero().squeeze(1)[:count]
    samples = Samples(x[right], y[right], right.numpy())
    return Subject(name, model.network.module, model, samples, data.schema, radii)
