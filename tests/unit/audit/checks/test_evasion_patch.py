"""The patch check: a model that reads one bright spot falls, tables are not asked."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from gambeson.audit.base import checks
from gambeson.core.errors import Unavailable
from gambeson.core.finding import Outcome
from tests.tiny_models import TensorModel
from tests.unit.audit.checks.evasion_worlds import context
from tests.unit.audit.checks.picture_worlds import ask, open_net, value

CHECK = "evasion.patch"


@pytest.fixture(scope="module")
def net(digits_net):
    return open_net(digits_net)


class Gullible(nn.Module):
    """The digits network until a pair of neighbouring pixels is white above black: then always a one."""

    def __init__(self, net):
        super().__init__()
        self.net = net

    def forward(self, x):
        edge = (x[:, :, :-1] - x[:, :, 1:] - 0.9).clamp_min(0).sum((1, 2, 3))
        ones = torch.zeros(len(x), 10)
        ones[:, 1] = 1
        return self.net(x) + 200 * edge[:, None] * ones


def test_a_gullible_model_falls_and_noise_does_less(net):
    finding = ask(CHECK, TensorModel(Gullible(net.network.module), (1, 8, 8), 10))
    assert finding.outcome is Outcome.FAILED
    assert value(finding, "robust_accuracy") < value(finding, "random_accuracy")
    assert finding.target == "patch of 5% of the area"
    facts = dict(finding.evidence.facts)
    assert facts["side of the square"] == "2 of 8 pixels"
    assert "fooled by a grey patch" in facts
    assert finding.evidence.examples[0].images


def test_a_model_that_never_looks_passes():
    class Blind(nn.Module):
        def forward(self, x):
            return torch.eye(10)[torch.ones(len(x), dtype=torch.long)] + 0 * x.sum()

    finding = ask(CHECK, TensorModel(Blind(), (1, 8, 8), 10), effort=_many())
    assert finding.outcome is Outcome.PASSED
    assert value(finding, "attack_success_rate") == 0


def _many():
    from dataclasses import replace

    from gambeson.audit.base import PROFILES

    return replace(PROFILES["quick"], samples=400, steps=1)


def test_batch_size_decides_nothing(net):
    assert ask(CHECK, net) == ask(CHECK, net, rows_per_pass=8)


def test_a_table_is_refused():
    with pytest.raises(Unavailable, match="pictures only"):
        checks[CHECK].plugin(context(CHECK))


def test_a_pass_without_time_is_not_assessed(net):
    finding = ask(CHECK, net, deadline=0.0, clock=lambda: 1.0)
    assert finding.cut == ("fitting stopped after 0 of 10 epochs",)
    assert finding.outcome is not Outcome.PASSED
