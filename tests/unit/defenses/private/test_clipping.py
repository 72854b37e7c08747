"""Clipped sums of whole networks against the slow way, and what is refused instead of being clipped wrongly."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from gambeson.core.errors import ModelError, UsageError
from gambeson.defenses.private.clipping import clipped_sums


def one_by_one(net, losses, x, y, clip):
    """The same, with a backward pass for each row."""
    parameters = {name: p for name, p in net.named_parameters() if p.requires_grad}
    sums, norms = {name: torch.zeros_like(p) for name, p in parameters.items()}, []
    for i in range(len(x)):
        found = torch.autograd.grad(
            losses(x[i : i + 1], y[i : i + 1]).sum(), list(parameters.values()), allow_unused=True
        )
        grads = [
            torch.zeros_like(p) if g is None else g for g, p in zip(found, parameters.values(), strict=True)
        ]
        norms.append(torch.cat([g.flatten() for g in grads]).norm())
        for name, g in zip(parameters, grads, strict=True):
            sums[name] += g * min(1.0, clip / max(float(norms[-1]), 1e-300))
    return sums, torch.stack(norms)


def compare(net, x, y, clip, *, rtol=1e-9):
    def losses(x, y):
        return F.cross_entropy(net(x), y, reduction="none")

    found = clipped_sums(net, losses, x, y, clip)
    sums, norms = one_by_one(net, losses, x, y, clip)
    torch.testing.assert_close(found.norms, norms, rtol=rtol, atol=1e-12)
    assert found.sums.keys() == sums.keys()
    for name, value in sums.items():
        torch.testing.assert_close(found.sums[name], value, rtol=rtol, atol=rtol)


def network(width: int, inplace: bool) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(1, width, 3, padding=1),
        nn.GroupNorm(1, width),
        nn.ReLU(inplace=inplace),
        nn.Conv2d(width, 4, 3, stride=2),
        nn.Tanh(),
        nn.Flatten(2),
        nn.Linear(9, 5),
        nn.LayerNorm(5),
        nn.Flatten(),
        nn.Linear(20, 3),
    )


@given(
    n=st.integers(1, 5),
    width=st.integers(1, 6),
    clip=st.sampled_from([1e-3, 0.5, 2.0, float("inf")]),
    inplace=st.booleans(),
)
@settings(max_examples=8)
def test_a_network_of_all_kinds_of_layers(n, width, clip, inplace):
    torch.manual_seed(n)
    compare(network(width, inplace).double(), torch.randn(n, 1, 8, 8).double(), torch.randint(3, (n,)), clip)


def test_single_precision():
    torch.manual_seed(0)
    compare(network(4, True), torch.randn(8, 1, 8, 8), torch.randint(3, (8,)), 0.3, rtol=1e-5)


def test_no_row_adds_more_than_the_clipping_norm_and_small_gradients_stay():
    torch.manual_seed(0)
    net = nn.Linear(3, 2).double()
    x, y = torch.randn(1, 3).double(), torch.tensor([1])
    for clip in (0.01, 100.0):
        found = clipped_sums(net, lambda x, y: F.cross_entropy(net(x), y, reduction="none"), x, y, clip)
        length = torch.cat([v.flatten() for v in found.sums.values()]).norm()
        assert float(length) == pytest.approx(min(clip, float(found.norms[0])), rel=1e-12)


class Branches(nn.Module):
    """A residual network with a branch that is not used."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second, self.unused, self.last = (nn.Linear(4, 4) for _ in range(4))

    def forward(self, x):
        x = x + torch.relu(self.first(x))
        return self.last(x * torch.sigmoid(self.second(x)))


def test_branches_and_layers_that_are_not_used():
    torch.manual_seed(0)
    net = Branches().double()
    net.first.weight.requires_grad_(False)
    compare(net, torch.randn(6, 4).double(), torch.randint(4, (6,)), 0.4)


def test_words():
    torch.manual_seed(0)
    net = nn.Sequential(nn.Embedding(7, 3), nn.Flatten(), nn.Linear(15, 2)).double()
    compare(net, torch.randint(7, (4, 5)), torch.randint(2, (4,)), 0.2)


def losses_of(net):
    return lambda x, y: F.cross_entropy(net(x), y, reduction="none")


class Twice(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(3, 3)

    def forward(self, x):
        return self.layer(self.layer(x))


class InPlace(Twice):
    def forward(self, x):
        out = self.layer(x)
        x.add_(1)
        return out


@pytest.mark.parametrize(
    ("net", "words"), [(Twice(), "layer is used twice"), (InPlace(), "changed in place")]
)
def test_what_would_be_clipped_wrongly_is_refused_by_name(net, words):
    with pytest.raises(UsageError, match=words):
        clipped_sums(net, losses_of(net), torch.randn(2, 3), torch.tensor([0, 1]), 1.0)


def test_a_row_that_is_no_number_is_never_added():
    net = nn.Linear(2, 2)
    with pytest.raises(ModelError, match="no number"):
        clipped_sums(net, losses_of(net), torch.tensor([[1.0, float("nan")]]), torch.tensor([0]), 1.0)


def test_no_hook_stays_behind():
    net = nn.Linear(2, 2)
    clipped_sums(net, losses_of(net), torch.randn(2, 2), torch.tensor([0, 1]), 1.0)
    assert not net._forward_hooks
