"""The spatial check: worst pose against a random one, budget, deadline."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from gambeson.audit.base import checks
from gambeson.core.errors import Unavailable
from gambeson.core.finding import Outcome, Severity
from gambeson.core.threat import ThreatModel
from tests.tiny_models import TensorModel
from tests.unit.audit.checks.evasion_worlds import context
from tests.unit.audit.checks.picture_worlds import ask, open_net, value

CHECK = "evasion.spatial"


@pytest.fixture(scope="module")
def net(digits_net):
    return open_net(digits_net)


def test_the_worst_pose_is_worse_than_a_random_one(net):
    finding = ask(CHECK, net)
    assert (
        value(finding, "robust_accuracy")
        < value(finding, "random_accuracy")
        < value(finding, "clean_accuracy")
    )
    assert (finding.outcome, finding.severity) == (Outcome.FAILED, Severity.HIGH)
    assert finding.target == "rotation ±30°, translation ±1 × ±1 pixels"


def test_the_curve_runs_from_end_to_end_through_clean_accuracy(net):
    finding = ask(CHECK, net)
    (curve,) = finding.evidence.curves
    (series,) = curve.series
    assert series.x[0] == -30
    assert series.x[-1] == 30
    assert series.y[series.x.index(0.0)] == value(finding, "clean_accuracy")
    assert min(series.y) >= value(finding, "robust_accuracy")


class Mass(nn.Module):
    """Tells how bright the whole picture is: nothing that turning changes much."""

    def forward(self, x):
        mean = x.mean((1, 2, 3))
        return torch.stack([0.02 - mean, mean - 0.02, *[mean - 9] * 8], 1)


def test_a_model_that_does_not_care_passes():
    from dataclasses import replace

    from gambeson.audit.base import PROFILES

    effort = replace(PROFILES["quick"], samples=400, queries=100)
    finding = ask(CHECK, TensorModel(Mass(), (1, 8, 8), 10), effort=effort)
    assert finding.outcome is Outcome.PASSED


def test_the_query_budget_of_the_threat_holds(net):
    finding = ask(CHECK, net, threat=ThreatModel(queries=3))
    assert "worst of 2 poses" in finding.title


def test_batch_size_decides_nothing(net):
    assert ask(CHECK, net) == ask(CHECK, net, rows_per_pass=8)


def test_a_deadline_is_kept_and_said(net):
    finding = ask(CHECK, net, deadline=0.0, clock=lambda: 1.0)
    assert value(finding, "attack_success_rate") == 0
    assert "under one random pose" in finding.title  # that much was measured, and a failure stands
    assert finding.cut[0].endswith("poses were not tried")
    assert finding.evidence.curves == ()


def test_a_table_is_refused():
    with pytest.raises(Unavailable, match="pictures only"):
        checks[CHECK].plugin(context(CHECK))
