"""The pupil: a small network that attackers and inspectors of data train for themselves within seconds."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from gambeson.attacks.poisoning.base import Build
from gambeson.attacks.surrogate import Surrogate, default_network
from gambeson.core.errors import ModelError
from gambeson.core.reproduce import Seed
from gambeson.data.schema import Schema
from gambeson.models.model import ModelInfo
from gambeson.models.torch_training import seeded

BATCH = 128
PEAK = 3e-3
_STEPS = 400
"""Fewest updates: below that a small set has not been learnt."""
ROWS_AT_ONCE = 1024

Watch = Callable[[int, nn.Module], None]
"""Called after every pass over the data with its number, from 0, and the network in evaluation mode."""


def teach(
    x: np.ndarray,
    y: np.ndarray,
    schema: Schema,
    *,
    seed: Seed,
    epochs: int = 3,
    build: Build | None = None,
    watch: Watch | None = None,
    weights: np.ndarray | None = None,
) -> Surrogate:
    """Fit a fresh network by cross-entropy: Adam, one rise and fall of the step.

    Args:
        x: (n, *shape) float32.
        y: (n,) int64.
        schema: Shape, bounds and classes.
        seed: Seeds initial weights and shuffling.
        epochs: Passes over the data; more where they would make fewer than 400 steps.
        build: Makes the network; the default one of the schema unless given.
        watch: Sees the network after every pass.
        weights: (n,) weight of each row in the loss; 1 unless given.

    Raises:
        ModelError: Training diverged, or the network does not fit the data.

    Source: Smith & Topin 2019, arXiv:1708.07120, for the steps.
    """
    classes = len(schema.classes)
    number = seed.child("pupil").integer()
    inputs, labels = torch.from_numpy(np.ascontiguousarray(x)), torch.from_numpy(np.asarray(y, np.int64))
    importance = None if weights is None else torch.from_numpy(np.asarray(weights, np.float32))
    with seeded(number):
        network = (build or (lambda: default_network(schema, classes)))()
        _descend(network, inputs, labels, passes(len(y), epochs), importance, watch)
    info = ModelInfo("pupil", "torch", schema.shape, classes, "logits")
    return Surrogate(network.eval().requires_grad_(False), info)


def passes(rows: int, epochs: int) -> int:
    """Passes over so many rows: as asked, or as many as make 400 steps."""
    return max(epochs, math.ceil(_STEPS / math.ceil(rows / BATCH)))


def answers(module: nn.Module, x: np.ndarray) -> np.ndarray:
    """Logits (n, classes) float32 of (n, *shape), in evaluation mode, without gradients."""
    with torch.no_grad():
        parts = [module(torch.from_numpy(part)).numpy() for part in pieces(x)]
    return np.concatenate(parts)


def pieces(x: np.ndarray) -> list[np.ndarray]:
    """(n, ...) in contiguous parts of at most 1,024 rows."""
    return [np.ascontiguousarray(x[start : start + ROWS_AT_ONCE]) for start in range(0, len(x), ROWS_AT_ONCE)]


def _descend(
    network: nn.Module,
    x: Tensor,
    y: Tensor,
    count: int,
    weights: Tensor | None,
    watch: Watch | None,
) -> None:
    """So many passes over the shuffled rows; draws from torch's generator."""
    optimizer = torch.optim.Adam(network.parameters(), lr=PEAK, fused=True)
    each = math.ceil(len(y) / BATCH)
    pace = torch.optim.lr_scheduler.OneCycleLR(optimizer, PEAK, total_steps=count * each, pct_start=0.2)
    for number in range(count):
        network.train()
        for rows in torch.split(torch.randperm(len(y)), BATCH):
            losses = F.cross_entropy(network(x[rows]), y[rows], reduction="none")
            loss = losses.mean() if weights is None else (losses * weights[rows]).mean()
            optimizer.zero_grad(set_to_none=True)
            torch.autograd.backward(loss)
            optimizer.step()
            pace.step()
        if not bool(torch.isfinite(loss)):
            raise ModelError("Training a small network on the data diverged: its loss is no number.")
        if watch is not None:
            watch(number, network.eval())
