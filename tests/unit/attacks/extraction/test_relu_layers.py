"""Networks with one hidden ReLU layer are computed from their scores: exactly from float64, nearly so from float32."""

from __future__ import annotations

import numpy as np
import pytest

from gambeson.attacks.extraction.relu_layers import recover_layer
from gambeson.core.errors import Unavailable
from gambeson.core.reproduce import Seed

M, UNITS, CLASSES = 6, 10, 3


class Net:
    """A random network of one hidden layer in the arithmetic of a type."""

    def __init__(self, kind=np.float64, activation=lambda a: np.maximum(a, 0), seed=0):
        rng = np.random.default_rng(seed)
        self.kind, self.activation = kind, activation
        self.weights = rng.normal(0, M**-0.5, (UNITS, M)).astype(kind)
        self.bias = rng.normal(0, 0.3, UNITS).astype(kind)
        self.out = rng.normal(0, 1, (CLASSES, UNITS)).astype(kind)

    def __call__(self, z):
        f = self.activation(z.astype(self.kind) @ self.weights.T + self.bias) @ self.out.T
        f = f.astype(np.float64)
        return f - f.mean(1, keepdims=True)


Z = np.random.default_rng(9).uniform(-1, 1, (2_000, M))


@pytest.mark.parametrize(("kind", "least"), [(np.float64, 1e-10), (np.float32, 1e-4)])
def test_every_unit_is_found_and_the_function_is_the_same(kind, least):
    net = Net(kind)
    layer = recover_layer(net, M, seed=Seed(0))
    assert len(layer.normals) == UNITS
    assert np.abs(layer.logits(Z) - net(Z)).max() < least
    # each hyperplane is one of the network's own
    size = np.linalg.norm(net.weights, axis=1)
    alike = np.abs(layer.normals @ (net.weights / size[:, None]).T)
    assert sorted(alike.argmax(1)) == list(range(UNITS))
    np.testing.assert_allclose(alike.max(1), 1, atol=1e-6)


def test_units_that_never_change_are_in_the_linear_part():
    net = Net()
    net.bias[:3] = 50.0
    layer = recover_layer(net, M, seed=Seed(0))
    assert len(layer.normals) <= UNITS - 3
    assert np.abs(layer.logits(Z) - net(Z)).max() < 1e-9


def test_a_linear_model_has_no_bends():
    with pytest.raises(Unavailable, match="No line through the inputs shows a bend"):
        recover_layer(Net(activation=lambda a: a), M, seed=Seed(0))


def test_a_smooth_model_bends_everywhere():
    with pytest.raises(Unavailable, match="the scores bend at"):
        recover_layer(Net(activation=np.tanh), M, seed=Seed(0))


def test_the_same_seed_gives_the_same_layer():
    first, again = (recover_layer(Net(np.float32), M, seed=Seed(4)) for _ in range(2))
    np.testing.assert_array_equal(first.normals, again.normals)
    np.testing.assert_array_equal(first.effects, again.effects)
