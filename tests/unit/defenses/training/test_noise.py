"""Training with noise: the noise is what was asked for, and the loss is of the noisy rows."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F

from gambeson.core.errors import UsageError
from gambeson.defenses.training.noise import NoiseTraining
from tests.training_world import batch, network


def test_the_noise_has_the_deviation_that_was_asked_for_and_leaves_the_bounds():
    b = batch(400)
    torch.manual_seed(0)
    noise = NoiseTraining(sigma=0.5).attack(network(), b) - b.x
    assert abs(float(noise.std()) - 0.5) < 0.05
    assert not b.ball.contains(b.x + noise).all()


def test_the_loss_is_the_cross_entropy_of_the_noisy_rows():
    net, b = network(), batch(8)
    noisy = b.x + 0.1
    assert torch.isclose(NoiseTraining().loss(net, b, noisy), F.cross_entropy(net(noisy), b.y))


@pytest.mark.parametrize("wrong", [{"sigma": 0.0}, {"certify": 0}, {"copies": 0}])
def test_what_makes_no_sense_is_refused(wrong):
    with pytest.raises(UsageError):
        NoiseTraining(**wrong)
