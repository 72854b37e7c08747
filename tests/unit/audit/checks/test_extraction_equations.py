"""The equation-solving check: linear models are computed, others are not."""

from __future__ import annotations

import numpy as np
import pytest

from gambeson.audit.base import checks
from gambeson.core.errors import Unavailable
from gambeson.core.finding import Outcome, Severity
from gambeson.data.dataset import ArraySplit, Dataset
from tests.table_world import model
from tests.tables import rows, schema
from tests.tiny_models import ScoreModel, TensorModel
from tests.unit.audit.checks.evasion_worlds import context
from tests.unit.audit.checks.picture_worlds import ask, open_net, value

CHECK = "extraction.equations"


def test_a_softmax_regression_is_computed_from_its_probabilities():
    rng = np.random.default_rng(0)
    weights, bias = rng.normal(0, 0.5, (10, 64)), rng.normal(0, 1, 10)

    def answer(x):
        logits = x.reshape(len(x), -1).astype(np.float64) @ weights.T + bias
        p = np.exp(logits - logits.max(1, keepdims=True))
        return (p / p.sum(1, keepdims=True)).astype(np.float32)

    finding = ask(CHECK, ScoreModel(answer, (1, 8, 8), 10, "probabilities"))
    assert (finding.outcome, finding.severity) == (Outcome.FAILED, Severity.HIGH)
    assert value(finding, "queries") == 65
    assert value(finding, "largest_log_odds_error") < 1e-3
    assert value(finding, "fidelity") == 1


def test_a_network_is_not(digits_net):
    net = open_net(digits_net)
    finding = ask(CHECK, TensorModel(net.network.module, (1, 8, 8), 10))
    assert finding.outcome is Outcome.PASSED
    assert value(finding, "largest_log_odds_error") > 0.1


def test_categories_cannot_be_stepped_along():
    table = Dataset("people", schema(), {"test": ArraySplit(rows(40), np.zeros(40, np.int64))}, "sha256:0")
    with pytest.raises(Unavailable, match="has no values in between"):
        checks[CHECK].plugin(context(CHECK, model=model(age=1.0), data=table))


@pytest.mark.parametrize("scale", [0.5, 2.0])
def test_a_softmax_regression_is_computed_through_three_decimals(scale):
    rng = np.random.default_rng(0)
    weights, bias = rng.normal(0, scale, (10, 64)), rng.normal(0, 1, 10)

    def answer(x):
        logits = x.reshape(len(x), -1).astype(np.float64) @ weights.T + bias
        p = np.exp(logits - logits.max(1, keepdims=True))
        return np.round(p / p.sum(1, keepdims=True), 3).astype(np.float32)

    finding = ask(CHECK, ScoreModel(answer, (1, 8, 8), 10, "probabilities"))
    assert (finding.outcome, finding.severity) == (Outcome.FAILED, Severity.HIGH)
    facts = dict(finding.evidence.facts)
    assert facts["answers"] == "probabilities, rounded to 3 decimals"
    assert float(facts["error of any parameter at most"]) > 0
    assert value(finding, "queries") <= 11 * 65


def test_a_network_with_rounded_answers_is_not(digits_net):
    net = open_net(digits_net)

    def rounded(x):
        logits = net.scores(x).astype(np.float64)
        p = np.exp(logits - logits.max(1, keepdims=True))
        return np.round(p / p.sum(1, keepdims=True), 3).astype(np.float32)

    finding = ask(CHECK, ScoreModel(rounded, (1, 8, 8), 10, "probabilities"))
    assert finding.outcome is Outcome.PASSED
