"""What each transformation does to a picture, by hand."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from gambeson.core.errors import UsageError
from gambeson.defenses.transformations import BitDepth, Median, RandomResize, Transformed, transformations


def test_bits_leave_so_many_levels_between_the_bounds():
    x = torch.linspace(-1, 3, 101).reshape(1, -1)
    seen = BitDepth(bits=2, low=-1.0, high=3.0)(x)
    assert torch.allclose(torch.unique(seen), torch.tensor([-1.0, 1 / 3, 5 / 3, 3.0]), atol=1e-6)
    assert (seen - x).abs().max() <= 2 / 3 + 1e-6


def test_the_median_takes_a_single_pixel_away_and_keeps_an_edge():
    x = torch.zeros(1, 1, 5, 5)
    x[0, 0, 2, 2] = 1.0
    assert Median(3)(x).sum() == 0
    half = torch.zeros(1, 1, 6, 6)
    half[..., 3:] = 1.0
    assert torch.equal(Median(3)(half), half)


def test_resizing_is_random_keeps_the_shape_and_pads_with_the_lowest_value():
    x = torch.ones(2, 1, 12, 12)
    torch.manual_seed(0)
    first, second = RandomResize(0.5, low=-1.0)(x), RandomResize(0.5, low=-1.0)(x)
    assert first.shape == x.shape
    assert not torch.equal(first, second)
    assert ((first == -1) | ((first - 1).abs() < 1e-6)).all()
    assert (first == -1).any()


def test_a_transformed_network_answers_to_the_transformed_input():
    network = nn.Sequential(nn.Flatten(), nn.Linear(16, 2))
    x = torch.rand(3, 1, 4, 4)
    assert torch.equal(Transformed(network, BitDepth(1))(x), network(BitDepth(1)(x)))


@pytest.mark.parametrize(
    ("name", "parameters"),
    [("bit_depth", {"bits": 0}), ("median", {"size": 4}), ("random_resize", {"least": 1.0})],
)
def test_nonsense_is_refused(name, parameters):
    with pytest.raises(UsageError):
        transformations.make(name, parameters)
