"""The transfer check: on models with and without gradients, from a given and from a trained surrogate."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from gambeson.audit.base import checks
from gambeson.core.errors import InsufficientEvidence, Unavailable
from gambeson.core.finding import Outcome
from gambeson.core.threat import Norm, ThreatModel
from tests.tiny_models import ScoreModel, TensorModel
from tests.unit.audit.checks.evasion_worlds import context
from tests.unit.audit.checks.picture_worlds import DIGITS, ask, open_net, value

CHECK = "evasion.transfer"


@pytest.fixture(scope="module")
def net(digits_net):
    return open_net(digits_net)


@pytest.fixture(scope="module")
def opaque(net):
    """The same answers without gradients."""
    return ScoreModel(net.scores, (1, 8, 8), 10)


def twin(net):
    """Another model object with the same network, as one who stole it would have it."""
    return TensorModel(net.network.module, (1, 8, 8), 10)


def test_a_surrogate_trained_on_answers_alone_beats_noise(opaque):
    finding = ask(CHECK, opaque)
    assert value(finding, "robust_accuracy") < value(finding, "random_accuracy") - 0.1
    facts = dict(finding.evidence.facts)
    assert facts["queries spent on its training"] == str(len(DIGITS.splits["train"]))
    assert "from the split 'train'" in facts["surrogate"]
    assert finding.access == "labels"


def test_with_the_target_itself_as_surrogate_little_is_left(opaque, net):
    finding = ask(CHECK, opaque, surrogate=twin(net), threat=ThreatModel(Norm.LINF, 0.3))
    assert finding.outcome is Outcome.FAILED
    assert value(finding, "robust_accuracy") < 0.1
    assert "made on the surrogate tiny" in finding.title


def test_the_target_does_not_count_as_its_own_surrogate(net):
    with pytest.raises(Unavailable, match="itself"):
        ask(CHECK, net, surrogate=net)


def test_a_surrogate_without_gradients_is_refused(net, opaque):
    with pytest.raises(Unavailable, match="gives no gradients"):
        ask(CHECK, net, surrogate=opaque)


def test_seed_decides_and_batch_size_does_not(net):
    first = ask(CHECK, net, surrogate=twin(net))
    assert first == ask(CHECK, net, surrogate=twin(net), rows_per_pass=8)


def test_without_a_training_split_it_takes_rows_that_are_not_audited(opaque):
    data = replace(DIGITS, splits={"test": DIGITS.splits["test"]})
    finding = ask(CHECK, opaque, data=data)
    assert "from the split 'test'" in dict(finding.evidence.facts)["surrogate"]


def test_without_inputs_of_its_own_it_is_no_evidence():
    with pytest.raises(InsufficientEvidence, match="0 inputs to train a copy of the model on"):
        checks[CHECK].plugin(context(CHECK))


def test_without_time_it_is_no_evidence(opaque):
    with pytest.raises(InsufficientEvidence, match="before a surrogate was trained"):
        ask(CHECK, opaque, deadline=0.0, clock=lambda: 1.0)


def test_examples_are_those_that_fool_the_target(opaque, net):
    finding = ask(CHECK, opaque, surrogate=twin(net), threat=ThreatModel(Norm.LINF, 0.3))
    for example in finding.evidence.examples:
        assert example.after != example.label == example.before
        assert example.distance <= 0.3 + 1e-6
    assert np.isfinite(finding.measurement("random_success_rate").value)
