"""Inversion of shared updates."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from gambeson.attacks.privacy.inversion.updates import (
    Descent,
    invert_update,
    read_first_layer,
    single_label,
    update_of,
)
from gambeson.core.errors import UsageError
from gambeson.core.reproduce import Seed
from tests.inversion_worlds import CLASSES, examples

X, Y = examples(3)


def perceptron(seed: int = 0) -> nn.Module:
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return nn.Sequential(nn.Flatten(), nn.Linear(64, 16), nn.ReLU(), nn.Linear(16, CLASSES))


def convolution() -> nn.Module:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        body = nn.Conv2d(1, 8, 3, padding=1), nn.Sigmoid(), nn.Flatten(), nn.Linear(512, CLASSES)
        return nn.Sequential(*body)


@pytest.mark.parametrize("row", range(3))
def test_one_record_is_read_exactly_from_a_first_linear_layer(row):
    update = update_of(perceptron(), X[row : row + 1], Y[row : row + 1])
    found = read_first_layer(*update.gradients[:2])
    assert torch.allclose(found, X[row].flatten(), atol=1e-4)


@pytest.mark.parametrize("label", range(CLASSES))
def test_the_label_of_one_record_is_read_from_the_last_bias(label):
    assert single_label(update_of(convolution(), X[:1], torch.tensor([label]))) == label


def test_of_a_batch_the_first_layer_tells_a_mixture_only():
    update = update_of(perceptron(), X, Y)
    found = read_first_layer(*update.gradients[:2])
    assert (torch.cdist(found[None], X.flatten(1)) > 0.1).all()


def test_a_record_is_recovered_from_a_network_without_such_a_layer():
    network = convolution()
    update = update_of(network, X[:1], Y[:1])
    found = invert_update(
        network, update, [single_label(update)], (1, 8, 8), seed=Seed(0), descent=Descent(variation=0)
    )
    guess = (X.mean(0) - X[0]).square().mean()
    assert (found[0] - X[0]).square().mean() < 0.05 * guess


def test_another_update_leads_elsewhere():
    network = convolution()
    update = update_of(network, X[1:2], Y[:1])
    found = invert_update(network, update, [int(Y[0])], (1, 8, 8), seed=Seed(0), descent=Descent(steps=80))
    assert (found[0] - X[1]).square().mean() < (found[0] - X[0]).square().mean()


def test_what_does_not_fit_is_refused():
    update = update_of(perceptron(), X[:1], Y[:1])
    with pytest.raises(UsageError, match="4 gradients"):
        invert_update(nn.Sequential(nn.Flatten(), nn.Linear(64, 5)), update, [0], (1, 8, 8), seed=Seed(0))
    with pytest.raises(UsageError, match="cannot be read"):
        read_first_layer(torch.ones(2, 3), torch.zeros(2))
