"""Layers that cannot be private are named; batch normalisation can be replaced."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from gambeson.core.errors import UsageError
from gambeson.defenses.private.layers import obstacles, require_private, without_batch_norm


def batched() -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(1, 48, 3), nn.Sequential(nn.BatchNorm2d(48), nn.ReLU()), nn.Flatten(), nn.Linear(48, 2)
    )


def test_supported_layers_are_no_obstacle():
    net = nn.Sequential(nn.Conv2d(1, 4, 3), nn.GroupNorm(2, 4), nn.Flatten(), nn.Linear(4, 2), nn.Dropout())
    assert obstacles(net) == []
    require_private(net)


def tied() -> nn.Module:
    net = nn.Sequential(nn.Linear(3, 3), nn.Linear(3, 3))
    net[1].weight = net[0].weight
    return net


@pytest.mark.parametrize(
    ("net", "name", "why"),
    [
        (batched(), "1.0", "mixes the rows"),
        (nn.Sequential(nn.InstanceNorm2d(3, track_running_stats=True)), "0", "running statistics"),
        (nn.Sequential(nn.LSTM(2, 2)), "0", "LSTM has weights of its own"),
        (nn.Sequential(nn.Embedding(3, 2, max_norm=1.0)), "0", "depends on other rows"),
        (tied(), "0.weight and 1.weight", "are one parameter"),
        (nn.TransformerEncoderLayer(4, 2, 8), "self_attn", "in_proj_weight"),
    ],
)
def test_an_obstacle_is_named_with_its_layer(net, name, why):
    found = obstacles(net)
    assert any(name in line and why in line for line in found), found
    with pytest.raises(UsageError, match="cannot be trained privately"):
        require_private(net)


def test_frozen_layers_are_no_obstacle_but_batch_statistics_are():
    frozen = nn.LSTM(2, 2).requires_grad_(False)
    assert obstacles(nn.Sequential(frozen, nn.Linear(2, 2))) == []
    assert obstacles(batched().requires_grad_(False))


def test_nothing_to_train_is_refused():
    with pytest.raises(UsageError, match="no weights"):
        require_private(nn.Sequential(nn.ReLU()))


def test_batch_normalisation_is_replaced_by_groups_that_divide_the_channels():
    given = batched()
    found = without_batch_norm(given)
    assert obstacles(found) == []
    assert (found[1][0].num_groups, found[1][0].num_channels) == (16, 48)
    assert isinstance(given[1][0], nn.BatchNorm2d)
    assert found(torch.randn(2, 1, 3, 3)).shape == (2, 2)
    assert isinstance(without_batch_norm(nn.BatchNorm1d(4)), nn.GroupNorm)


def test_rows_no_longer_mix():
    net, x = without_batch_norm(batched()).train(), torch.randn(4, 1, 3, 3)
    torch.testing.assert_close(net(x)[:1], net(x[:1]))


def test_a_row_of_single_values_is_normalised_as_a_whole():
    replaced = without_batch_norm(nn.Sequential(nn.Linear(4, 8), nn.BatchNorm1d(8)))
    assert replaced[1].num_groups == 1
    answer = replaced(torch.rand(1, 4))
    assert len(torch.unique(answer.detach().round(decimals=3))) > 2


def test_pictures_are_normalised_in_groups_of_two_channels_or_more():
    replaced = without_batch_norm(nn.Sequential(nn.Conv2d(1, 8, 3), nn.BatchNorm2d(8)))
    assert replaced[1].num_groups == 4
