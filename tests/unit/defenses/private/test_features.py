"""Fixed first layers, and means and variances that keep a promise of privacy."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from gambeson.core.errors import UsageError
from gambeson.core.reproduce import Seed
from gambeson.data.dataset import ArraySplit
from gambeson.defenses.private.draws import SeededDraws
from gambeson.defenses.private.features import Standardise, divide, features_of, fit, standardiser
from gambeson.defenses.private.scattering import Scattering
from gambeson.models.probing import Answer
from gambeson.models.torch_trainee import Trainee


def scattered() -> nn.Sequential:
    return nn.Sequential(Scattering(8), Standardise(81), nn.Flatten(), nn.Linear(324, 3))


def test_the_front_is_what_is_fixed():
    net = scattered()
    front, rest = divide(net)
    assert [type(layer) for layer in front] == [Scattering]
    assert [type(layer) for layer in rest] == [Standardise, nn.Flatten, nn.Linear]
    assert rest[2] is net[3]
    assert standardiser(rest) is net[1]


@pytest.mark.parametrize(
    "net",
    [
        nn.Linear(2, 2),
        nn.Sequential(nn.Flatten(), nn.Linear(2, 2)),
        nn.Sequential(nn.Dropout(), nn.Linear(2, 2)),
    ],
)
def test_a_network_without_a_useful_front_is_left_whole(net):
    assert divide(net) == (None, net)
    assert standardiser(net) is None


def test_standardising_what_is_trained_is_refused():
    with pytest.raises(UsageError, match="not fixed"):
        standardiser(nn.Sequential(nn.Linear(3, 81), Standardise(81)))


def test_features_of_every_row_in_order():
    front = nn.Sequential(nn.AvgPool1d(2))
    split = ArraySplit(np.arange(600, dtype=np.float32).reshape(150, 1, 4) / 1000, np.arange(150) % 3)
    found = features_of(front, Trainee(front, "cpu", Answer("logits", False)), split)
    x, y = found.take(np.array([149, 0]))
    assert x == pytest.approx(np.array([[[0.5965, 0.5985]], [[0.0005, 0.0025]]]), abs=1e-3)
    assert y.tolist() == [2, 0]


def skewed(n: int = 4_000) -> ArraySplit:
    rng = np.random.default_rng(0)
    scales = np.array([0.5, 0.01, 0.002])[:, None]
    return ArraySplit((rng.gamma(2.0, 0.5, (n, 3, 4)) * scales).astype(np.float32), np.zeros(n, np.int64))


def test_without_noise_it_is_mean_and_standard_deviation_of_each_channel():
    split, layer = skewed(), Standardise(3)
    fit(layer, split, 0.0, SeededDraws(Seed(0)))
    assert layer.mean.numpy() == pytest.approx(split.x.mean((0, 2)), rel=0.05)  # a few rows are clipped
    assert layer.deviation.numpy() == pytest.approx(split.x.std((0, 2)), rel=0.1)
    out = layer(torch.from_numpy(split.x))
    assert out.mean((0, 2)).abs().max() < 0.1


def test_noise_moves_a_mean_by_no_more_than_it_should():
    split, layers = skewed(), [Standardise(3), Standardise(3)]
    for layer, noise in zip(layers, (0.0, 4.0), strict=True):
        fit(layer, split, noise, SeededDraws(Seed(0)))
    moved = (layers[1].mean - layers[0].mean).abs().max()
    assert 1e-5 < moved < 5 * 4.0 / 4_000


def test_one_row_moves_the_sums_by_no_more_than_their_bounds():
    split = skewed(50)
    huge = ArraySplit(np.concatenate([split.x, np.full((1, 3, 4), 1e6, np.float32)]), np.zeros(51, np.int64))
    one, other = Standardise(3), Standardise(3)
    fit(one, split, 0.0, SeededDraws(Seed(0)))
    fit(other, huge, 0.0, SeededDraws(Seed(0)))
    assert float((51 * other.mean - 50 * one.mean).norm()) == pytest.approx(1.0, rel=1e-3)
    assert torch.isfinite(other.deviation).all()
