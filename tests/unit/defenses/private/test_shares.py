"""Norms and weighted sums of each layer against gradients that are taken row by row."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from gambeson.defenses.private.shares import RULES

few = st.integers(1, 4)


def check(layer: nn.Module, a: torch.Tensor) -> None:
    """Compare the rule of a layer with one backward pass for each row, of a loss that is not linear in the output."""
    layer = layer.double()
    a = a if a.dtype == torch.int64 else a.double()
    out = layer(a)
    factor = torch.randn(out.shape[1:], dtype=torch.float64)

    def loss(output):
        return (output * factor).flatten(1).sum(1).tanh() + output.flatten(1).square().sum(1)

    (slope,) = torch.autograd.grad(loss(out).sum(), out)
    shares = RULES[type(layer)](layer, a, slope)
    names = [name for name, p in layer.named_parameters() if p.requires_grad]
    assert sorted(s.parameter for s in shares) == sorted(names)
    weights = torch.rand(len(a), dtype=torch.float64)
    for share in shares:
        parameter = getattr(layer, share.parameter)
        each = torch.stack(
            [torch.autograd.grad(loss(layer(a[i : i + 1])).sum(), parameter)[0] for i in range(len(a))]
        )
        norms = each.flatten(1).square().sum(1)
        torch.testing.assert_close(share.squared, norms, rtol=1e-9, atol=1e-12)
        torch.testing.assert_close(
            share.summed(weights), torch.einsum("n,n...->...", weights, each), rtol=1e-9, atol=1e-12
        )


@given(n=few, d=few, p=few, bias=st.booleans())
@settings(max_examples=10)
def test_linear_on_rows(n, d, p, bias):
    check(nn.Linear(d, p, bias=bias), torch.randn(n, d))


@given(n=few, places=st.sampled_from([(1,), (3,), (2, 3), (9,)]), d=st.integers(1, 9), p=st.integers(1, 9))
@settings(max_examples=15)
def test_linear_on_sequences_by_ghost_norms_or_single_gradients(n, places, d, p):
    check(nn.Linear(d, p), torch.randn(n, *places, d))


@given(
    n=few,
    groups=st.integers(1, 2),
    kernel=st.integers(1, 3),
    stride=st.integers(1, 2),
    padding=st.integers(0, 2),
    dilation=st.integers(1, 2),
    mode=st.sampled_from(["zeros", "reflect", "circular"]),
    wide=st.booleans(),
)
@settings(max_examples=20)
def test_convolutions(n, groups, kernel, stride, padding, dilation, mode, wide):
    channels = 12 * groups if wide else 2 * groups  # wide ones take the ghost norm, narrow ones do not
    options = {
        "stride": stride,
        "padding": padding,
        "dilation": dilation,
        "groups": groups,
        "padding_mode": mode,
        "bias": n > 1,
    }
    check(nn.Conv2d(channels, channels, kernel, **options), torch.randn(n, channels, 5, 6))
    check(nn.Conv1d(channels, channels, kernel, **options), torch.randn(n, channels, 7))


def test_convolution_padded_by_name():
    check(nn.Conv2d(2, 3, (3, 5), padding="same"), torch.randn(3, 2, 4, 5))


@given(n=few, places=st.sampled_from([(), (4,), (2, 3)]), padding=st.sampled_from([None, 1]))
@settings(max_examples=10)
def test_embeddings_that_meet_a_word_several_times(n, places, padding):
    check(nn.Embedding(3, 2, padding_idx=padding), torch.randint(3, (n, *places)))


@pytest.mark.parametrize(
    ("layer", "shape"),
    [
        (nn.LayerNorm(5), (3, 5)),
        (nn.LayerNorm((4, 5)), (3, 2, 4, 5)),
        (nn.LayerNorm(5, bias=False), (3, 2, 5)),
        (nn.RMSNorm(5), (3, 2, 5)),
        (nn.GroupNorm(2, 4), (3, 4)),
        (nn.GroupNorm(2, 4), (3, 4, 3, 2)),
        (nn.InstanceNorm2d(4, affine=True), (3, 4, 3, 2)),
        (nn.InstanceNorm1d(4, affine=True), (3, 4, 6)),
    ],
)
def test_normalisations(layer, shape):
    for parameter in layer.parameters():
        nn.init.uniform_(parameter, 0.5, 1.5)
    check(layer, torch.randn(shape))


def test_frozen_parameters_have_no_share():
    layer = nn.Linear(2, 3)
    layer.weight.requires_grad_(False)
    check(layer, torch.randn(4, 2))


def test_in_single_precision_the_error_stays_near_its_resolution():
    torch.manual_seed(0)
    layer, a = nn.Conv2d(3, 8, 3), torch.randn(16, 3, 8, 8)
    out = layer(a)
    (slope,) = torch.autograd.grad(F.softplus(out).sum(), out)
    exact = RULES[nn.Conv2d](layer.double(), a.double(), slope.double())
    for one, other in zip(RULES[nn.Conv2d](layer.float(), a, slope), exact, strict=True):
        torch.testing.assert_close(one.squared.double(), other.squared, rtol=2e-6, atol=0)
