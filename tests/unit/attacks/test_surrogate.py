"""The surrogate learns what the target answers, for pictures and for tables, the same each time."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from gambeson.attacks.surrogate import Surrogate, default_network, train_surrogate
from gambeson.data.schema import Feature, Schema
from gambeson.models.model import Differentiable
from gambeson.models.passes import Passes
from tests.tiny_models import linear

TABLE = Schema((3,), ("a", "b"), features=tuple(Feature(n, low=-5.0, high=5.0) for n in "xyz"))


def inputs(n, seed):
    return torch.rand(n, 3, generator=torch.Generator().manual_seed(seed)) * 10 - 5


TARGET = Passes(linear([[1.0, -2.0, 0.5], [-1.0, 2.0, -0.5]]))


def learn(updates=300, seed=0):
    x = inputs(400, 0)
    answers = TARGET.scores(x).argmax(1)
    return train_surrogate(x, answers, TABLE, 2, updates=updates, seed=seed)


def test_it_answers_as_the_target_on_inputs_that_it_never_saw():
    surrogate = learn()
    new = inputs(300, 1)
    agree = TARGET.scores(new).argmax(1) == Passes(surrogate).scores(new).argmax(1)
    assert float(agree.float().mean()) > 0.95


def test_same_seed_same_network_and_the_callers_randomness_is_left_alone():
    torch.manual_seed(5)
    before = torch.random.get_rng_state()
    one = learn(updates=20)
    assert torch.equal(before, torch.random.get_rng_state())
    two = learn(updates=20)
    other = learn(updates=20, seed=1)
    x = inputs(8, 2)
    assert torch.equal(one.forward(x), two.forward(x))
    assert not torch.equal(one.forward(x), other.forward(x))


@pytest.mark.parametrize("shape", [(1, 8, 8), (3, 32, 32), (3, 50, 70), (2, 6, 6), (5,), (4, 7)])
def test_there_is_a_network_for_every_shape(shape):
    schema = Schema(shape, tuple("abcdef"), low=-1.0, high=3.0)
    net = default_network(schema, 6)
    assert net(torch.rand(2, *shape)).shape == (2, 6)


def test_features_of_any_unit_are_centred_and_a_constant_one_does_no_harm():
    wide = Schema(
        (2,), ("a", "b"), features=(Feature("x", low=0.0, high=1e6), Feature("c", low=3.0, high=3.0))
    )
    first = default_network(wide, 2)[0]
    out = first(torch.tensor([[0.0, 3.0], [1e6, 3.0]]))
    assert out.tolist() == [[-1.0, 0.0], [1.0, 0.0]]


def test_it_stands_behind_the_seam():
    surrogate = learn(updates=5)
    assert isinstance(surrogate, Surrogate)
    assert isinstance(surrogate, Differentiable)
    assert surrogate.scores(np.zeros((2, 3), np.float32)).shape == (2, 2)
    assert surrogate.info.classes == 2
