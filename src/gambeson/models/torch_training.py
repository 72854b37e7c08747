"""Training a fresh PyTorch network, for reference models: one recipe for every architecture."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from gambeson.core.errors import GambesonError, ModelError

EPOCHS = 30
"""Fewest passes over the data."""
STEPS = 1_000
"""Fewest updates: a small set takes more passes until a network fits it as a target usually does."""
BATCH = 64
LEARNING_RATE = 1e-3

_ONE_AT_A_TIME = threading.Lock()
"""Initial weights and dropout come from torch's global generator, which two trainings must not share."""


def train(
    build: Callable[[], nn.Module],
    log_likelihoods: Callable[[Tensor], Tensor],
    x: Tensor,
    y: Tensor,
    *,
    seed: int,
    updates: int | None = None,
) -> nn.Module:
    """Minimise the cross-entropy with Adam (Kingma & Ba 2015, arXiv:1412.6980), data held in memory.

    The recipe is fixed because the target's own is not in its file: a reference model that is trained
    otherwise makes membership inference weaker, not stronger. Global random state is left as it was.

    Args:
        build: Makes the untrained network on the device of ``x``.
        log_likelihoods: Turns its raw answer into (n, classes) log-probabilities.
        x: (n, *shape) float32.
        y: (n,) int64 labels, or (n, classes) float32 probabilities to be matched.
        seed: Seeds initial weights, shuffling and dropout.
        updates: Optimiser steps, rounded up to whole passes over the data; ``None`` for at least 30 passes and
            1,000 steps.

    Returns:
        The trained network.

    Raises:
        ModelError: Training raised or diverged.
    """
    devices = [x.device] if x.device.type == "cuda" else []
    with seeded(seed, devices):
        network = build().train()
        try:
            _descend(
                network, log_likelihoods, x, y, torch.Generator().manual_seed(seed), _passes(len(x), updates)
            )
        except GambesonError:
            raise
        except Exception as error:
            raise ModelError(
                f"Training a reference network raised {type(error).__name__}: {error}",
                expected="a network that trains with Adam on cross-entropy",
                remedy="train it by hand on one batch, or leave membership inference out",
            ) from error
    return network


@contextmanager
def seeded(seed: int, devices: Sequence[torch.device] = ()) -> Iterator[None]:
    """One training at a time, with gradients and torch's global generator seeded; it is put back as it was."""
    with _ONE_AT_A_TIME, torch.random.fork_rng(devices=devices), torch.enable_grad():
        torch.manual_seed(seed)
        yield


def _passes(rows: int, updates: int | None) -> int:
    """Passes over so many rows that make so many updates."""
    each = math.ceil(rows / BATCH)
    return max(EPOCHS, math.ceil(STEPS / each)) if updates is None else math.ceil(updates / each)


def _descend(
    network: nn.Module,
    log_likelihoods: Callable[[Tensor], Tensor],
    x: Tensor,
    y: Tensor,
    shuffle: torch.Generator,
    passes: int,
) -> None:
    optimizer = torch.optim.Adam(network.parameters(), lr=LEARNING_RATE, fused=True)
    for _ in range(passes):
        for rows in torch.split(torch.randperm(len(x), generator=shuffle), BATCH):
            if len(rows) == 1 < len(x):
                continue  # batch normalisation cannot train on a single row
            picked = rows.to(x.device)
            optimizer.zero_grad(set_to_none=True)
            loss = _loss(log_likelihoods(network(x[picked])), y[picked])
            loss.backward()  # type: ignore[no-untyped-call]
            optimizer.step()
        if not bool(torch.isfinite(loss)):
            raise ModelError("Training a reference network diverged: its loss is no number.")


def _loss(log_likelihoods: Tensor, y: Tensor) -> Tensor:
    """Mean cross-entropy against labels or probabilities."""
    if y.dim() == 1:
        return F.nll_loss(log_likelihoods, y)
    return -(y * log_likelihoods).sum(1).mean()
