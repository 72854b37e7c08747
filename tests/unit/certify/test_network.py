"""The network that certificates compute with."""

from __future__ import annotations

import torch

from gambeson.certify.network import Affine, Builder, LinearMap
from tests.unit.certify.nets import perceptron


def doubled() -> LinearMap:
    return LinearMap(lambda x: 2 * x, lambda x: 2 * x)


def test_a_transpose_without_its_own_formula_comes_from_autograd():
    weight = torch.tensor([[1.0, -2.0, 3.0], [0.0, 5.0, -1.0]], dtype=torch.float64)
    rows = LinearMap(lambda x: x @ weight.T, lambda x: x @ weight.abs().T)
    a = torch.tensor([[1.0, 10.0]], dtype=torch.float64)
    assert torch.equal(rows.transpose(a, (3,)), a @ weight)


def test_several_inputs_add_up():
    op = Affine((doubled(), doubled()), torch.ones(1, 2, dtype=torch.float64))
    one = torch.ones(3, 2, dtype=torch.float64)
    assert torch.equal(op(one, one), torch.full((3, 2), 5.0, dtype=torch.float64))
    assert torch.equal(op.spread(one, one), torch.full((3, 2), 4.0, dtype=torch.float64))


def test_a_builder_gives_shifts_the_shape_of_the_node():
    builder = Builder((2, 3))
    number = builder.affine(Affine((doubled(),), torch.tensor(1.0, dtype=torch.float64)), (0,))
    assert builder.nodes[number].op.shift.shape == (1, 2, 3)


def test_the_way_back_costs_all_products_above():
    network = perceptron()
    assert network.rectified == (1, 3)
    hidden = 12 * 7
    assert network.products(1) == hidden + 6
    assert network.products(3) == 12 * 13 + 12 + hidden + 6
