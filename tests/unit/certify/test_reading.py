"""Reading a model: what is stripped, what is refused, and that a wrong reading is found out."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
import torch
from torch import nn

import gambeson as gb
from gambeson.certify.reading import check_network, read_network
from gambeson.core.errors import Unavailable
from gambeson.models.passes import Passes
from tests.tiny_models import ScoreModel
from tests.unit.certify.nets import model_of, randomised, read


def net(end: nn.Module | None = None, classes: int = 3) -> nn.Module:
    layers = [nn.Linear(5, 8), nn.ReLU(), nn.Linear(8, classes)]
    return randomised(nn.Sequential(*layers, *([] if end is None else [end])), 0)


X = torch.rand(16, 5, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("end", [nn.Softmax(1), nn.LogSoftmax(1)])
def test_a_softmax_at_the_end_is_left_out(end):
    kind = "probabilities" if isinstance(end, nn.Softmax) else "logits"
    model = model_of(net(end), (5,), 3, kind)
    network = read_network(model)
    assert torch.allclose(network(X).float(), net()(X), atol=1e-5)
    assert network.slack > 0
    check_network(network, Passes(model), X)


def test_a_single_score_is_that_of_the_second_class():
    network = read(net(classes=1), (5,), 2)
    assert torch.allclose(network(X).diff(dim=1).float(), net(classes=1)(X), atol=1e-5)


def test_weights_opened_from_a_file_and_an_exported_program_read_the_same(digits_net, tmp_path):
    data = gb.open_dataset("builtin:digits")
    path, factory = str(digits_net / "net.safetensors"), f"{digits_net / 'net.py'}:build"
    model = gb.open_model(path, schema=data.schema, factory=factory)
    x = torch.from_numpy(data.split("test").take(range(8))[0])
    program = torch.export.export(model.network.module, (torch.zeros(1, 1, 8, 8),))
    torch.export.save(program, tmp_path / "net.pt2")
    exported = gb.open_model(str(tmp_path / "net.pt2"), schema=data.schema)
    for opened in (model, exported):
        network = read_network(opened)
        check_network(network, Passes(opened), x)
        assert torch.allclose(network(x), read_network(model)(x))


def test_a_model_without_a_network_is_told_of_smoothing():
    model = ScoreModel(lambda x: x, (3,), 3)
    with pytest.raises(Unavailable, match="gives no weights") as raised:
        read_network(model)
    assert "smoothing" in raised.value.remedy


def test_a_layer_that_is_not_known_is_named_with_its_place():
    module = nn.Sequential(nn.Linear(5, 3), nn.Sigmoid(), nn.Linear(3, 3))
    with pytest.raises(Unavailable, match=r"sigmoid in '1' \(Sigmoid\)") as raised:
        read(module, (5,), 3)
    assert "conv2d" in raised.value.expected


def test_several_outputs_are_refused():
    class Two(nn.Module):
        def forward(self, x):
            return x, 2 * x

    with pytest.raises(Unavailable, match="returns 2 values"):
        read(Two(), (3,), 3)


def test_an_answer_that_does_not_depend_on_the_input_is_refused():
    class Constant(nn.Module):
        def forward(self, x):
            return torch.ones(3, 3)

    with pytest.raises(Unavailable, match="does not depend on its input"):
        read(Constant(), (3,), 3)


def test_a_model_that_answers_otherwise_than_what_was_read_is_found_out():
    model = model_of(net(), (5,), 3)
    model.network = SimpleNamespace(module=randomised(net(), 9), batch=None)
    with pytest.raises(Unavailable, match="answers differently from the model itself"):
        check_network(read_network(model), Passes(model), X)


def test_the_model_keeps_its_weights_and_its_mode():
    module = net()
    before = [p.clone() for p in module.parameters()]
    read(module, (5,), 3)
    assert all(torch.equal(a, b) for a, b in zip(before, module.parameters(), strict=True))
    assert not module.training
