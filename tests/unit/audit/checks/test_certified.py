"""The check that proves, on a network whose distances are known."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from gambeson.audit.base import checks
from gambeson.certify.brackets import Contradiction
from gambeson.core.errors import InsufficientEvidence, Unavailable
from gambeson.core.finding import Outcome, Severity
from gambeson.core.threat import Norm, ThreatModel
from tests.tiny_models import perceptron
from tests.unit.audit.checks.evasion_worlds import context, standing


def ask(**changes):
    made = context("evasion.certified", **changes)
    made = replace(made, effort=replace(made.effort, samples=384))
    if not hasattr(made.model, "network"):
        made.model.network = SimpleNamespace(module=made.model.module, batch=None)
    (finding,) = checks["evasion.certified"].plugin(made)
    return finding


def test_a_linear_model_is_known_exactly_from_both_sides():
    finding = ask(eps=0.21)
    low, high, clean = finding.measurements
    assert low.value == high.value == pytest.approx(standing(0.21))
    assert clean.value == 1
    (curve,) = finding.evidence.curves
    attacked, certified, _ = curve.series
    assert certified.x == attacked.x == pytest.approx((0.0, 0.105, 0.21, 0.315))
    assert certified.y == attacked.y == pytest.approx([standing(r) for r in certified.x])


def test_refuted_robustness_fails_low_and_proved_robustness_passes():
    failed, passed = ask(eps=0.3), ask(eps=0.01)
    assert (failed.outcome, failed.severity) == (Outcome.FAILED, Severity.LOW)
    assert failed.remedy
    assert (passed.outcome, passed.severity, passed.remedy) == (Outcome.PASSED, Severity.INFO, "")


def test_a_contradiction_is_never_dropped(monkeypatch):
    def everything(network, region, y, method):
        import torch

        return torch.ones(len(y), 1, dtype=torch.float64)

    monkeypatch.setattr("gambeson.certify.accuracy.margin_bounds", everything)
    with pytest.raises(Contradiction, match="and yet were broken"):
        ask(eps=0.3)


def test_without_time_there_is_no_answer():
    with pytest.raises(InsufficientEvidence, match="Time ran out"):
        ask(deadline=0.0, clock=lambda: 1.0)


def test_what_cannot_be_certified_says_why():
    with pytest.raises(Unavailable, match="does not know tanh"):
        ask(model=perceptron((1,), 2))
    with pytest.raises(Unavailable, match="norm l0"):
        ask(threat=ThreatModel(norm=Norm.L0, eps=1))


def test_the_seed_decides_alone():
    first, second = ask(eps=0.2), ask(eps=0.2, rows_per_pass=8)
    assert first == second
    assert np.isfinite([m.value for m in first.measurements]).all()
