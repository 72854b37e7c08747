"""A small world of networks on the digits: ours, copies of it, and independent ones."""

from __future__ import annotations

import copy
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch import nn

import gambeson as gb
from gambeson.attacks.surrogate import Surrogate
from gambeson.models.model import ModelInfo
from gambeson.models.passes import Passes
from gambeson.models.torch_training import train


def network() -> nn.Module:
    return nn.Sequential(nn.Flatten(), nn.Linear(64, 24), nn.ReLU(), nn.Linear(24, 10))


def fit(x, y, seed, *, build=network, updates=150) -> Passes:
    module = train(build, lambda raw: raw.log_softmax(1), x, y, seed=seed, updates=updates).eval()
    return Passes(
        Surrogate(module.requires_grad_(False), ModelInfo("digits", "torch", (1, 8, 8), 10, "logits"))
    )


@pytest.fixture(scope="session")
def world():
    data = gb.open_dataset("builtin:digits")
    train_split, test = data.split("train"), data.split("test")
    x, y = (torch.from_numpy(a) for a in train_split.take(np.arange(len(train_split))))
    held = test.take(np.arange(len(test)))[0]
    ours = fit(x, y, 0)
    again = copy.deepcopy(ours.model.module)
    return SimpleNamespace(
        schema=data.schema,
        x=held,
        ours=ours,
        references=[fit(x, y, 100 + i) for i in range(8)],
        independent=fit(x, y, 999),
        tuned=fit(x[:400], y[:400], 5, build=lambda: copy.deepcopy(again).requires_grad_(True), updates=40),
    )
