"""What hooks cannot see is found by comparison before training."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from gambeson.core.errors import UsageError
from gambeson.defenses.private.proving import require_exact


def prove(net: nn.Module, x: torch.Tensor) -> None:
    require_exact(net, lambda x, y: F.cross_entropy(net(x), y, reduction="none"), x, torch.arange(len(x)) % 2)


@pytest.mark.parametrize(
    "net",
    [
        nn.Sequential(nn.Linear(4, 3), nn.ReLU(), nn.Linear(3, 2)),
        nn.Sequential(nn.Linear(4, 8), nn.Dropout(), nn.LayerNorm(8), nn.Linear(8, 2)),
    ],
)
def test_networks_that_are_clipped_exactly_pass(net):
    prove(net, torch.randn(4, 4))
    assert net.training


class Tied(nn.Module):
    """The table of words is also the last layer, by a function that no hook sees."""

    def __init__(self) -> None:
        super().__init__()
        self.words = nn.Embedding(5, 4)

    def forward(self, x):
        return F.linear(self.words(x).mean(1), self.words.weight)


class Mixing(nn.Module):
    """Subtracts the mean of the batch."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(4, 2)

    def forward(self, x):
        return self.layer(x - x.mean(0))


def test_a_weight_that_is_used_by_a_function_is_named():
    with pytest.raises(UsageError, match=r"words\.weight does not come from its layer alone"):
        prove(Tied(), torch.randint(5, (4, 3)))


def test_rows_that_mix_are_found_without_a_layer_that_says_so():
    with pytest.raises(UsageError, match="depends on the rows beside it"):
        prove(Mixing(), torch.randn(4, 4))


def test_the_callers_stream_goes_on():
    torch.manual_seed(3)
    expected = torch.rand(2)
    torch.manual_seed(3)
    net = nn.Sequential(nn.Dropout(), nn.Linear(4, 2))
    torch.manual_seed(3)
    prove(net, torch.ones(4, 4))
    assert torch.equal(torch.rand(2), expected)
