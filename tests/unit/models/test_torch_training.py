from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch
from torch import nn

from gambeson.core.errors import ModelError
from gambeson.models.torch_training import train
from tests.unit.models.conftest import digits


def fitted(seed, build=lambda: nn.Sequential(nn.Linear(64, 32), nn.BatchNorm1d(32), nn.Linear(32, 10))):
    x, y = digits()
    rows = slice(0, 257)  # leaves one row over for the last batch
    x, y = torch.from_numpy(x[rows]), torch.from_numpy(y[rows])
    return train(build, lambda raw: raw.log_softmax(1), x, y, seed=seed), x, y


def test_it_learns_its_training_set():
    network, x, y = fitted(0)
    assert (network.eval()(x).argmax(1) == y).float().mean() > 0.97


def test_same_seed_same_weights_and_global_randomness_is_left_alone():
    torch.manual_seed(5)
    before = torch.get_rng_state()
    first, second, other = (fitted(seed)[0].state_dict() for seed in (1, 1, 2))
    assert torch.equal(before, torch.get_rng_state())
    assert all(torch.equal(first[key], second[key]) for key in first)
    assert not torch.equal(first["0.weight"], other["0.weight"])


@pytest.mark.parametrize(
    ("build", "said"),
    [(lambda: nn.Linear(3, 10), "raised RuntimeError"), (lambda: Nan(), "diverged")],
)
def test_training_that_fails_is_a_model_error(build, said):
    with pytest.raises(ModelError, match=said):
        fitted(0, build)


class Nan(nn.Linear):
    def __init__(self):
        super().__init__(64, 10)

    def forward(self, x):
        return super().forward(x) * np.nan


def test_updates_are_whole_passes_and_two_threads_do_not_disturb_each_other():
    counted = []

    class Counting(nn.Linear):
        def forward(self, x):
            counted.append(len(x))
            return super().forward(x)

    x, y = (torch.from_numpy(a[:130]) for a in digits())
    train(lambda: Counting(64, 10), lambda raw: raw.log_softmax(1), x, y, seed=0, updates=4)
    assert len(counted) == 6  # two passes over 130 rows, three batches each

    def weights(seed):
        build = lambda: nn.Sequential(nn.Linear(64, 32), nn.Dropout(0.5), nn.Linear(32, 10))  # noqa: E731
        net = train(build, lambda raw: raw.log_softmax(1), x, y, seed=seed, updates=60)
        return net[0].weight

    alone = [weights(seed) for seed in range(4)]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(weights, range(4)))
    assert all(torch.equal(a, b) for a, b in zip(alone, together, strict=True))
