"""Gradients through what autograd cannot follow: the network's own, and the network's own answers."""

from __future__ import annotations

import pytest
import torch
from torch.nn.functional import cosine_similarity

from gambeson.models.straight_through import StraightThrough
from tests import masked_models
from tests.tiny_models import TensorModel, convnet

SHAPE = (1, 8, 8)
LOCAL = [
    masked_models.QuantisedOutput,
    masked_models.BitDepth,
    masked_models.OutsideAutograd,
    masked_models.Dead,
    masked_models.Jpeg,
    masked_models.WithoutGradient,
    masked_models.Bucketed,
]
ALL = [*LOCAL, masked_models.Shattered, masked_models.ZeroBackward]


@pytest.fixture
def net():
    return convnet(1, 8, 5).module


@pytest.fixture
def x():
    return torch.randint(1, 16, (8, *SHAPE), generator=torch.Generator().manual_seed(3)) / 16


def ask(model, x):
    """Gradient of the first score, and the scores."""
    leaf = x.clone().requires_grad_(True)
    scores = model.forward(leaf)
    return torch.autograd.grad(scores[:, 0].sum(), leaf)[0], scores.detach()


def likeness(a, b):
    return float(cosine_similarity(a.flatten(), b.flatten(), 0))


def around(kind, net):
    return TensorModel(kind(net), SHAPE, 5)


@pytest.mark.parametrize("kind", LOCAL, ids=lambda kind: kind.__name__)
def test_the_gradient_is_that_of_the_network_behind(kind, net, x):
    honest, _ = ask(TensorModel(net, SHAPE, 5), x)
    seen, _ = ask(StraightThrough(around(kind, net)), x)
    assert likeness(seen, honest) > (0.6 if kind is masked_models.Jpeg else 0.99)


@pytest.mark.parametrize("kind", ALL, ids=lambda kind: kind.__name__)
def test_to_the_first_layer_everything_before_it_is_the_identity(kind, net, x):
    honest, _ = ask(TensorModel(net, SHAPE, 5), x)
    seen, _ = ask(StraightThrough(around(kind, net), to_first_layer=True), x)
    assert likeness(seen, honest) > (0.6 if kind is masked_models.Jpeg else 0.9)


@pytest.mark.parametrize("kind", ALL, ids=lambda kind: kind.__name__)
@pytest.mark.parametrize("to_first_layer", [False, True])
def test_the_answer_is_the_same_to_the_bit(kind, to_first_layer, net, x):
    model = around(kind, net)
    with torch.no_grad():
        plain = model.forward(x)
    view = StraightThrough(model, to_first_layer=to_first_layer)
    assert torch.equal(ask(view, x)[1], plain)
    assert torch.equal(torch.from_numpy(view.scores(x.numpy())), plain)


def test_a_comparison_passes_the_gradient_of_what_it_compares(net, x):
    honest, _ = ask(TensorModel(net, SHAPE, 5), (x > 0.5).float())
    seen, _ = ask(StraightThrough(around(masked_models.Thresholded, net)), x)
    assert likeness(seen, honest) > 0.99


def test_a_clip_of_the_input_passes_the_gradient_on(net, x):
    outside = torch.cat([x * 0.1, 0.9 + x * 0.1])  # nothing lies on the ramp
    blind, _ = ask(around(masked_models.Ramp, net), outside)
    seen, _ = ask(StraightThrough(around(masked_models.Ramp, net)), outside)
    behind, _ = ask(TensorModel(net, SHAPE, 5), ((outside - 0.4) / 0.2).clamp(0, 1))
    assert not blind.any()
    assert likeness(seen, behind) > 0.99


def test_an_honest_network_keeps_its_gradient(net, x):
    model = TensorModel(net, SHAPE, 5)
    assert torch.equal(ask(StraightThrough(model), x)[0], ask(model, x)[0])


def test_an_exported_program_is_seen_through(net, x):
    module = masked_models.QuantisedOutput(masked_models.BitDepth(net)).eval()
    batch = {0: torch.export.Dim("batch")}
    program = torch.export.export(module, (x,), dynamic_shapes=(batch,)).module()
    model = around(masked_models.Around, net)
    model.module = program
    honest, _ = ask(TensorModel(net, SHAPE, 5), x)
    assert ask(model, x)[0].abs().max() == 0
    assert likeness(ask(StraightThrough(model), x)[0], honest) > 0.99


def test_gradients_stay_switched_off_where_nobody_asks(net, x):
    with torch.no_grad():
        assert not StraightThrough(around(masked_models.BitDepth, net)).forward(x).requires_grad
