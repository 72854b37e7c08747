import copy
import io

import numpy as np
import pytest
import torch
from safetensors.torch import save
from torch import nn

from gambeson.core.errors import IntegrityError, ModelError, UsageError
from gambeson.data.schema import Schema
from gambeson.models.model import Differentiable, Trainable
from gambeson.models.probing import Expected
from gambeson.models.torch_model import open_program, open_weights
from tests.unit.models.conftest import CANCER, IMAGES, cancer, digits

NETS = """
import torch
from torch import nn

def conv():
    first = nn.Conv2d(1, 4, 3, stride=2), nn.BatchNorm2d(4)
    return nn.Sequential(*first, nn.ReLU(), nn.Flatten(), nn.Linear(36, 10))

class Viewed(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv, self.linear = nn.Conv2d(1, 4, 3, stride=2), nn.Linear(36, 10)

    def forward(self, x):
        return self.linear(self.conv(x).view(-1, 36)).softmax(1)

def single():
    return nn.Linear(30, 1)

class Pair(nn.Linear):
    def forward(self, x):
        return super().forward(x), x

def pair():
    return Pair(64, 10)

def text():
    return "a network"

def broken():
    raise KeyError("width")
"""


@pytest.fixture
def nets(tmp_path):
    """Path of a file of factories, and a function that builds one of the networks with fixed weights."""
    path = tmp_path / "nets.py"
    path.write_text(NETS)
    space = {}
    exec(NETS, space)

    def build(name):
        torch.manual_seed(0)
        return space[name]().eval()

    return path, build


@pytest.fixture
def opened(nets, saved):
    """Saves the weights of a network and opens them with its factory; beside it the network."""
    path, build = nets

    def open_it(name, schema=IMAGES, **expected):
        net = build(name)
        file = saved("m.safetensors", save(net.state_dict()))
        return open_weights(file, Expected(schema, **expected), f"{path}:{name}", "cpu"), net

    return open_it


def images(n):
    return np.ascontiguousarray(digits()[0][:n].reshape(n, 1, 8, 8))


def own(net, x):
    with torch.no_grad():
        return net(torch.from_numpy(x)).numpy()


@pytest.mark.parametrize(("name", "kind"), [("conv", "logits"), ("Viewed", "probabilities")])
def test_scores_are_those_of_the_network(opened, name, kind):
    model, net = opened(name)
    np.testing.assert_allclose(model.scores(images(5)), own(net, images(5)), rtol=1e-5, atol=1e-6)
    assert model.info.scores == kind
    assert model.info.parameters == sum(p.numel() for p in net.parameters())


def test_channels_last_is_used_only_where_the_network_bears_it(opened):
    assert opened("conv")[0].network.channels_last
    assert not opened("Viewed")[0].network.channels_last  # its view() needs rows in order


def test_gradients_are_those_of_the_network(opened):
    model, net = opened("conv")
    assert isinstance(model, Differentiable)
    x, z = (torch.from_numpy(images(3)).requires_grad_() for _ in range(2))
    model.forward(x)[:, 4].sum().backward()
    net(z)[:, 4].sum().backward()
    torch.testing.assert_close(x.grad, z.grad)
    assert not any(p.requires_grad for p in model.network.module.parameters())


def test_one_logit_becomes_two_columns(opened):
    x = cancer()[0][:4]
    model, net = opened("single", CANCER)
    softmax = torch.from_numpy(model.scores(x)).double().softmax(1)[:, 1:]
    np.testing.assert_allclose(softmax, 1 / (1 + np.exp(-own(net, x).astype(float))), atol=1e-5)


def test_a_reference_model_is_fitted_with_the_factory_and_its_seed(opened):
    x, y = images(300), digits()[1][:300]
    model, _ = opened("conv")
    assert isinstance(model, Trainable)
    first, again, other = (model.fit_new(x, y, seed).scores(x) for seed in (0, 0, 1))
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)
    assert (first.argmax(1) == y).mean() > 0.9
    assert not isinstance(model.fit_new(x[:64], y[:64], 0), Trainable)


def test_opening_leaves_the_global_random_state_alone(nets, saved):
    file = saved("m.safetensors", save(nets[1]("conv").state_dict()))
    before = torch.get_rng_state()
    open_weights(file, Expected(IMAGES), f"{nets[0]}:conv", "cpu")
    assert torch.equal(before, torch.get_rng_state())


@pytest.mark.parametrize(
    ("name", "schema", "error", "said"),
    [
        (
            "conv",
            Schema((3, 8, 8), IMAGES.classes),
            UsageError,
            r"\(1, any, any\); the data gives \(3, 8, 8\)",
        ),
        ("single", Schema((29,), CANCER.classes), UsageError, r"takes inputs of shape \(30\)"),
        ("conv", Schema((1, 16, 16), IMAGES.classes), ModelError, r"raised RuntimeError .*\(8, 1, 16, 16\)"),
        ("conv", Schema((1, 8, 8), ("a", "b")), UsageError, "10 classes; 2 were expected"),
        ("pair", Schema((64,), IMAGES.classes), ModelError, "returns tuple"),
    ],
)
def test_model_and_data_that_do_not_match_are_named(opened, name, schema, error, said):
    with pytest.raises(error, match=said):
        opened(name, schema)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("broken", "nets.py:broken raised KeyError: 'width'"),
        ("text", "returned str"),
        ("conv", r"lacks '0.weight', '0.bias', '1.weight' and 5 more"),
    ],
)
def test_a_bad_factory_is_named(nets, saved, name, said):
    file = saved("m.safetensors", save({"a": torch.zeros(1)}))
    with pytest.raises(UsageError, match=said):
        open_weights(file, Expected(IMAGES), f"{nets[0]}:{name}", "cpu")


def test_weights_without_a_factory_say_what_is_missing(saved):
    file = saved("m.safetensors", save({"a": torch.zeros(1)}))
    with pytest.raises(UsageError, match=r"(?s)weights but no network.*--factory"):
        open_weights(file, Expected(IMAGES), None, "cpu")


def test_a_device_that_is_not_there_is_a_usage_error(saved, nets):
    file = saved("m.safetensors", save({"a": torch.zeros(1)}))
    with pytest.raises(UsageError, match="'warp:3' cannot be used"):
        open_weights(file, Expected(IMAGES), f"{nets[0]}:conv", "warp:3")


def test_weights_that_are_nan_are_a_model_error(nets, saved):
    net = nets[1]("conv")
    nn.init.constant_(net[0].weight, float("nan"))
    file = saved("m.safetensors", save(net.state_dict()))
    with pytest.raises(ModelError, match="NaN or infinity"):
        open_weights(file, Expected(IMAGES), f"{nets[0]}:conv", "cpu")


@pytest.mark.parametrize("batch", [None, 1, 4])
def test_a_program_gives_the_scores_and_gradients_of_its_network(nets, saved, batch):
    net, buffer = nets[1]("conv"), io.BytesIO()
    shapes = ({0: torch.export.Dim("batch")},) if batch is None else None
    torch.export.save(
        torch.export.export(net, (torch.zeros(batch or 2, 1, 8, 8),), dynamic_shapes=shapes), buffer
    )
    model = open_program(saved("m.pt2", buffer.getvalue()), Expected(IMAGES), "cpu")
    assert isinstance(model, Differentiable)
    assert not isinstance(model, Trainable)
    np.testing.assert_allclose(model.scores(images(6)), own(net, images(6)), rtol=1e-5, atol=1e-6)
    x, z = (torch.from_numpy(images(6)).requires_grad_() for _ in range(2))
    model.forward(x).square().sum().backward()
    net(z).square().sum().backward()
    torch.testing.assert_close(x.grad, z.grad)
    other = Expected(Schema((3, 32, 32), IMAGES.classes))
    with pytest.raises(UsageError, match=r"\(1, 8, 8\); the data gives \(3, 32, 32\)"):
        open_program(saved("m.pt2", buffer.getvalue()), other, "cpu")
    with pytest.raises(IntegrityError):
        saved("m.pt2", buffer.getvalue()[:-100])


@pytest.mark.parametrize("name", ["conv", "Viewed"])
def test_a_model_that_travels_by_its_factory_s_name_arrives_whole(opened, name):
    model, _ = opened(name)
    arrived = copy.copy(model)  # by __reduce__, as in sending to another process
    assert arrived.network.module is not model.network.module
    assert arrived.network.channels_last == model.network.channels_last
    np.testing.assert_array_equal(arrived.scores(images(5)), model.scores(images(5)))
    fitted = [m.fit_new(images(80), digits()[1][:80], 3).scores(images(5)) for m in (model, arrived)]
    np.testing.assert_array_equal(*fitted)


def test_the_recipe_is_that_of_the_training_and_not_of_the_weights(opened):
    model, _ = opened("conv")
    before = model.recipe
    with torch.no_grad():
        next(iter(model.network.module.parameters())).add_(1)
    assert model.recipe == before
    assert opened("Viewed")[0].recipe != before
