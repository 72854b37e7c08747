"""Scattering features: their number, what they do not see, and what wavelets of one direction see."""

from __future__ import annotations

import math

import pytest
import torch

from gambeson.core.errors import UsageError
from gambeson.defenses.private.scattering import Scattering


def wave(angle: float, pitch: float, side: int = 32) -> torch.Tensor:
    y, x = torch.meshgrid(torch.arange(side) * 1.0, torch.arange(side) * 1.0, indexing="ij")
    return (1 + torch.cos(pitch * (y * math.cos(angle) + x * math.sin(angle))))[None, None] / 2


def test_shape_on_digits_is_that_of_the_paper():
    layer = Scattering(28)
    assert layer(torch.rand(2, 1, 28, 28)).shape == (2, 81, 7, 7)
    assert layer.features == 3_969
    assert layer(torch.rand(2, 3, 28, 28)).shape == (2, 243, 7, 7)


def test_a_grey_picture_has_a_mean_and_nothing_else():
    found = Scattering(16)(torch.full((1, 1, 16, 16), 0.4))
    torch.testing.assert_close(found[:, 0], torch.full((1, 4, 4), 0.4))
    assert found[:, 1:].abs().max() < 1e-6


@pytest.mark.parametrize(("scale", "pitch"), [(0, 3 * math.pi / 4), (1, 3 * math.pi / 8)])
@pytest.mark.parametrize("number", [0, 3, 5])
def test_a_wave_is_seen_by_the_wavelet_of_its_direction_and_pitch(scale, pitch, number):
    found = Scattering(32)(wave((3 - number) * math.pi / 8, pitch))[0, 1:17, 2:-2, 2:-2].mean((1, 2))
    assert int(found.argmax()) == 8 * scale + number


def test_they_change_little_when_the_picture_moves_by_a_pixel():
    torch.manual_seed(0)
    x = torch.nn.functional.avg_pool2d(torch.rand(4, 1, 36, 36), 5, 1, 2)
    layer = Scattering(32)
    one, other = layer(x[..., :32, :32]), layer(x[..., 1:33, 1:33])
    assert (one - other).norm() < 0.2 * one.norm()
    assert (x[..., :32, :32] - x[..., 1:33, 1:33]).norm() > (one - other)[:, 0].norm()


def test_nothing_is_learnt_or_stored():
    layer = Scattering(28)
    assert list(layer.parameters()) == []
    assert layer.state_dict() == {}


@pytest.mark.parametrize("side", [4, 30])
def test_sides_that_do_not_fit_are_refused(side):
    with pytest.raises(UsageError, match="multiple of 4"):
        Scattering(side)
