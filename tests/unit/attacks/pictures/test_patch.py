"""The patch: where it lies, what it covers, what it learns."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from gambeson.attacks.harness import Run, Samples
from gambeson.attacks.pictures.patch import SCALES, Patch, Places, draw_places, only_patched, paste, side_of
from gambeson.attacks.randomness import SampleRandom
from gambeson.attacks.shared import fit_shared
from gambeson.core.reproduce import Seed
from gambeson.models.passes import Passes
from tests.tiny_models import TensorModel


def places(top, left, side):
    return Places(*(torch.tensor([v]) for v in (top, left, side)))


def test_a_patch_of_its_own_size_is_copied_pixel_by_pixel():
    x, patch = torch.zeros(1, 3, 9, 12), torch.rand(1, 3, 4, 4)
    patched = paste(x, patch, places(2, 5, 4))
    torch.testing.assert_close(patched[:, :, 2:6, 5:9], patch)
    patched[:, :, 2:6, 5:9] = 0
    assert bool((patched == 0).all())


def test_twice_as_large_it_is_interpolated_as_torch_interpolates():
    patch = torch.rand(1, 1, 3, 3)
    patched = paste(torch.zeros(1, 1, 10, 10), patch, places(1, 3, 6))
    expected = torch.nn.functional.interpolate(patch, (6, 6), mode="bilinear", align_corners=False)
    torch.testing.assert_close(patched[:, :, 1:7, 3:9], expected)


@pytest.mark.parametrize(("height", "width"), [(32, 32), (28, 20), (3, 3), (1, 5)])
def test_places_are_inside_the_picture_and_of_the_stated_size(height, width):
    drawn = draw_places(SampleRandom(torch.arange(500)), 0, 0.05, height, width)
    side = side_of(0.05, height, width)
    assert bool((drawn.top >= 0).all() and (drawn.top + drawn.side <= height).all())
    assert bool((drawn.left >= 0).all() and (drawn.left + drawn.side <= width).all())
    assert int(drawn.side.min()) >= max(1, round(SCALES[0] * side))
    assert int(drawn.side.max()) <= round(SCALES[1] * side) or side == 1
    if height == 32:
        assert set(drawn.side.tolist()) == {6, 7, 8}
        assert len(set(drawn.top.tolist())) > 15


def test_a_change_outside_the_square_or_the_bounds_is_no_patch():
    x = torch.full((1, 1, 6, 6), 0.5)
    where, patched = places(1, 1, 2), x.clone()
    patched[0, 0, 1, 1] = 1.0
    assert bool(only_patched(x, patched, where, 0, 1).all())
    elsewhere = patched.clone()
    elsewhere[0, 0, 3, 1] += 0.01
    assert not bool(only_patched(x, elsewhere, where, 0, 1).any())
    assert not bool(only_patched(x, patched * 1.5, where, 0, 1).any())


class Brightest(nn.Module):
    """Class 1 where the brightest pixel is above 0.9."""

    def forward(self, x):
        top = x.flatten(1).amax(1)
        return torch.stack([torch.full_like(top, 0.9), top], 1) * 20


def fitted(rows_per_pass=64):
    n = 40
    x = 0.5 * torch.rand(n, 1, 8, 8, generator=torch.Generator().manual_seed(0))
    samples = Samples(x, torch.zeros(n, dtype=torch.int64), np.arange(n))
    model = Passes(TensorModel(Brightest(), (1, 8, 8), 2), rows_per_pass)
    patch = Patch(model, samples, 0.05, 0.0, 1.0, Seed(3))
    return patch, fit_shared(patch, n, 10, Run(Seed(0))).value


def test_it_learns_the_bright_spot_that_the_model_fears_whatever_the_batch():
    patch, value = fitted()
    assert float(value.max()) > 0.9
    assert float(value.min()) >= 0
    assert float(value.max()) <= 1
    assert torch.equal(value, fitted(rows_per_pass=8)[1])
    assert patch.oracle.queries.tolist() == [10] * 40
