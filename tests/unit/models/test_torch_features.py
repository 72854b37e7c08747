import pytest
import torch
from torch import nn

from gambeson.core.errors import Unavailable
from gambeson.models.torch_features import features_of, has_features, last_features


def test_features_are_what_the_last_linear_layer_is_given():
    module = nn.Sequential(nn.Linear(3, 5), nn.ReLU(), nn.Linear(5, 2))
    x = torch.rand(7, 3)
    features, answer = last_features(module, x)
    assert torch.equal(features, module[1](module[0](x)))
    assert torch.equal(answer, module(x))


def test_many_rows_in_pieces_are_the_same_as_at_once():
    module = nn.Sequential(nn.Flatten(), nn.Linear(4, 3))
    x = torch.rand(10, 2, 2)
    assert torch.allclose(features_of(module, x, rows=3)[0], x.flatten(1))


def test_a_network_without_linear_layer_has_no_features():
    module = nn.Sequential(nn.Conv2d(1, 2, 3), nn.AdaptiveAvgPool2d(1), nn.Flatten())
    assert not has_features(module)
    with pytest.raises(Unavailable, match="no features"):
        last_features(module, torch.rand(2, 1, 5, 5))


def test_no_hook_is_left_behind():
    module = nn.Sequential(nn.Linear(3, 2))
    last_features(module, torch.rand(2, 3))
    assert not module[0]._forward_pre_hooks
