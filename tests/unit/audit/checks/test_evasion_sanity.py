"""The check of gradients: what it says of honest, masked and batch-dependent models."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

import gambeson as gb
from gambeson.audit.base import PROFILES, CheckContext, checks
from gambeson.core.finding import Outcome, Severity
from gambeson.core.reproduce import Seed
from gambeson.core.threat import Norm, ThreatModel
from tests import masked_models
from tests.tiny_models import TensorModel


@pytest.fixture(scope="module")
def digits():
    return gb.open_dataset("builtin:digits")


@pytest.fixture(scope="module")
def net(digits, digits_net):
    path, factory = str(digits_net / "net.safetensors"), f"{digits_net / 'net.py'}:build"
    return gb.open_model(path, schema=digits.schema, factory=factory).network.module


def ask(model, data, check="evasion.sanity", norm=Norm.LINF, eps=0.06):
    effort = replace(PROFILES["standard"], samples=80, queries=1_000, curve=())
    context = CheckContext(check, model, data, ThreatModel(norm, eps), effort, Seed(0).child(check))
    return checks[check].plugin(context)[0]


def planted(kind, net):
    scores = "probabilities" if kind is masked_models.LowTemperature else "logits"
    return TensorModel(kind(net), (1, 8, 8), 10, scores)


def test_an_honest_model_passes(net, digits):
    found = ask(TensorModel(net, (1, 8, 8), 10), digits)
    assert found.outcome is Outcome.PASSED
    assert found.measurements[0].value == 0


@pytest.mark.parametrize(
    "kind",
    [
        masked_models.Saturated,
        masked_models.LowTemperature,
        masked_models.QuantisedOutput,
        masked_models.OutsideAutograd,
        masked_models.Dead,
        masked_models.Shattered,
    ],
    ids=lambda kind: kind.__name__,
)
def test_the_follow_up_sees_through_the_mask(net, digits, kind):
    honest = ask(TensorModel(net, (1, 8, 8), 10), digits, "evasion.gradient")
    found = ask(planted(kind, net), digits)
    assert (found.outcome, found.severity) == (Outcome.FAILED, Severity.MEDIUM)
    figures = {m.name: m.value for m in found.measurements}
    assert figures["robust_accuracy"] <= honest.measurements[0].value + 0.06
    assert figures["misleading_gradients"] >= 0.25
    assert found.remedy


def test_a_randomised_model_is_attacked_in_expectation(net, digits):
    found = ask(planted(masked_models.Noisy, net), digits)
    assert "randomised" in found.title
    assert "apgd" in found.evidence.method


def test_a_batch_dependent_model_gets_no_robust_accuracy(net, digits):
    found = ask(planted(masked_models.BatchDependent, net), digits)
    assert found.outcome is Outcome.FAILED
    assert [m.name for m in found.measurements] == ["misleading_gradients"]


@pytest.mark.parametrize("norm", [Norm.L2, Norm.L1])
def test_other_norms_have_a_follow_up_too(net, digits, norm):
    found = ask(planted(masked_models.Saturated, net), digits, norm=norm, eps=1.0)
    assert np.isfinite([m.value for m in found.measurements]).all()
    assert len(found.measurements) == 3
