from __future__ import annotations

import pytest
import torch
from torch import nn

from gambeson.models import precision
from gambeson.models.precision import gains_from_half


@pytest.fixture
def instructions(monkeypatch):
    monkeypatch.setattr(precision, "_has_instructions", lambda device: True)


def test_convolutions_and_large_layers_gain(instructions):
    assert gains_from_half(nn.Sequential(nn.Conv2d(1, 2, 3)), "cpu")
    assert gains_from_half(nn.Linear(1024, 1024, bias=False), "cpu")


def test_a_small_perceptron_does_not(instructions):
    assert not gains_from_half(nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 10)), "cpu")


def test_nothing_gains_on_a_processor_without_the_instructions(monkeypatch):
    for name in ("_is_avx512_bf16_supported", "_is_amx_tile_supported"):
        monkeypatch.setattr(torch.cpu, name, lambda: False)
    assert not gains_from_half(nn.Conv2d(1, 2, 3), "cpu")
