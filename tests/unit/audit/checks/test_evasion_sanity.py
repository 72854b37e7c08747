"""The check of gradients: what it says of honest, masked and batch-dependent models."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

import gambeson as gb
from gambeson.audit.base import PROFILES, CheckContext, checks
from gambeson.core.errors import Unavailable
from gambeson.core.finding import Outcome, Severity
from gambeson.core.reproduce import Seed
from gambeson.core.threat import Norm, ThreatModel
from tests import masked_models
from tests.tiny_models import TensorModel

EPS = 0.12
"""Radius at which the digits network keeps about half its accuracy."""


@pytest.fixture(scope="module")
def digits():
    return gb.open_dataset("builtin:digits")


@pytest.fixture(scope="module")
def net(digits, digits_net):
    path, factory = str(digits_net / "net.safetensors"), f"{digits_net / 'net.py'}:build"
    return gb.open_model(path, schema=digits.schema, factory=factory).network.module


def ask(model, data, check="evasion.sanity", norm=Norm.LINF, eps=0.06, samples=40):
    effort = replace(PROFILES["standard"], samples=samples, queries=300, curve=())
    context = CheckContext(check, model, data, ThreatModel(norm, eps), effort, Seed(0).child(check))
    return checks[check].plugin(context)[0]


def planted(kind, net):
    return TensorModel(kind(net), (1, 8, 8), 10)


def test_an_honest_model_passes(net, digits):
    found = ask(TensorModel(net, (1, 8, 8), 10), digits)
    assert found.outcome is Outcome.PASSED
    assert found.measurements[0].value == 0
    signs = dict(found.evidence.facts)
    assert signs["an unbounded attack fails?"].startswith("not seen")


@pytest.fixture(scope="module")
def unprotected(net, digits):
    """Robust accuracy of the network behind the masks."""
    return ask(TensorModel(net, (1, 8, 8), 10), digits, "evasion.gradient", eps=EPS).measurements[0].value


@pytest.mark.parametrize(
    "kind",
    [
        masked_models.Saturated,
        masked_models.QuantisedOutput,
        masked_models.Jpeg,
        masked_models.Dead,
    ],
    ids=lambda kind: kind.__name__,
)
def test_the_follow_up_sees_through_the_mask(net, digits, kind, unprotected):
    found = ask(planted(kind, net), digits, eps=EPS)
    assert (found.outcome, found.severity) == (Outcome.FAILED, Severity.MEDIUM)
    figures = {m.name: m.value for m in found.measurements}
    assert figures["robust_accuracy"] <= unprotected + 0.03
    assert figures["misleading_gradients"] >= 0.25
    if kind is not masked_models.Jpeg:
        assert figures["robust_accuracy_by_gradients_alone"] > unprotected + 0.03
    assert found.remedy


@pytest.mark.parametrize(
    "kind", [masked_models.Jpeg, masked_models.QuantisedOutput], ids=lambda k: k.__name__
)
def test_the_main_figure_is_that_of_the_follow_up(net, digits, kind, unprotected):
    found = ask(planted(kind, net), digits, "evasion.gradient", eps=EPS)
    assert found.measurements[0].value <= unprotected + 0.03
    assert "BPDA" in found.summary


def test_a_randomised_model_is_attacked_in_expectation(net, digits):
    found = ask(planted(masked_models.Noisy, net), digits, samples=12)
    assert "randomised" in found.title
    assert "apgd" in found.evidence.method
    assert "fresh draws" in found.summary
    again = ask(planted(masked_models.Noisy, net), digits, samples=12)
    assert again.measurements[0] == found.measurements[0]


def test_a_batch_dependent_model_gets_no_robust_accuracy(net, digits):
    found = ask(planted(masked_models.BatchDependent, net), digits)
    assert found.outcome is Outcome.FAILED
    assert [m.name for m in found.measurements] == ["misleading_gradients"]
    assert "model.eval()" in found.remedy


@pytest.mark.parametrize("check", ["evasion.gradient", "evasion.scores", "evasion.labels"])
def test_no_other_check_gives_a_batch_dependent_model_a_figure(net, digits, check):
    with pytest.raises(Unavailable, match="another batch"):
        ask(planted(masked_models.BatchDependent, net), digits, check)


def test_symptoms_are_named_with_their_remedies(net, digits):
    found = ask(planted(masked_models.Dead, net), digits, eps=EPS)
    assert "the loss is flat" in found.summary
    assert "attack the logits" in found.remedy
    assert dict(found.evidence.facts)["the loss is flat?"].startswith("seen")


@pytest.mark.parametrize("norm", [Norm.L2, Norm.L1])
def test_other_norms_have_a_follow_up_too(net, digits, norm):
    found = ask(planted(masked_models.Saturated, net), digits, norm=norm, eps=1.0)
    assert np.isfinite([m.value for m in found.measurements]).all()
    assert len(found.measurements) == 4


class SlightlySaturated(masked_models.Around):
    """Logits that saturate the cross-entropy of the clean input and no more."""

    def forward(self, x):
        return self.net(x) * 6


def test_gradients_that_find_as_much_by_themselves_are_believed(net, digits):
    found = ask(planted(SlightlySaturated, net), digits, eps=0.4, samples=24)
    assert "do no harm" in found.title
    assert (found.outcome, found.severity, found.remedy) == (Outcome.PASSED, Severity.INFO, "")
