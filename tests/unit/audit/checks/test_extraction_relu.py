"""The ReLU check: small networks are computed, others refused or not claimed."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from gambeson.audit.base import PROFILES, checks
from gambeson.core.errors import InsufficientEvidence, Unavailable
from gambeson.core.finding import Outcome, Severity
from gambeson.data.dataset import ArraySplit, Dataset
from gambeson.data.schema import Schema
from tests.tiny_models import TensorModel
from tests.unit.audit.checks.evasion_worlds import context
from tests.unit.audit.checks.picture_worlds import ask as ask_digits
from tests.unit.audit.checks.picture_worlds import open_net, value

CHECK = "extraction.relu"
X = np.random.default_rng(0).random((80, 5)).astype(np.float32)
DATA = Dataset(
    "points", Schema((5,), ("a", "b", "c")), {"test": ArraySplit(X, np.arange(80) % 3)}, "sha256:0"
)


def network(*layers: nn.Module) -> TensorModel:
    torch.manual_seed(0)
    module = nn.Sequential(*layers)
    for parameter in module.parameters():
        nn.init.normal_(parameter, 0, 0.6)
    return TensorModel(module, (5,), 3)


def ask(model, queries=500):
    made = context(CHECK, model=model, data=DATA)
    effort = replace(PROFILES["quick"], samples=80, queries=queries)
    (finding,) = checks[CHECK].plugin(replace(made, effort=effort))
    return finding


def test_one_hidden_layer_is_computed_from_float32_scores():
    finding = ask(network(nn.Linear(5, 8), nn.ReLU(), nn.Linear(8, 3)))
    assert (finding.outcome, finding.severity) == (Outcome.FAILED, Severity.HIGH)
    assert value(finding, "largest_log_odds_error") < 1e-3
    assert value(finding, "fidelity") == 1
    assert value(finding, "units") <= 8
    assert value(finding, "queries") <= 25_000


def test_probabilities_do_as_well_as_logits():
    finding = ask(network(nn.Linear(5, 8), nn.ReLU(), nn.Linear(8, 3), nn.LogSoftmax(1)))
    assert finding.outcome is Outcome.FAILED


def test_two_hidden_layers_are_not_claimed():
    finding = ask(
        network(nn.Linear(5, 8), nn.ReLU(), nn.Linear(8, 8), nn.ReLU(), nn.Linear(8, 3)), queries=5_000
    )
    assert finding.outcome is Outcome.PASSED
    assert value(finding, "largest_log_odds_error") > 0.01


def test_a_budget_that_ends_is_said():
    with pytest.raises(InsufficientEvidence, match="did not find all hidden units"):
        ask(network(nn.Linear(5, 8), nn.ReLU(), nn.Linear(8, 3)), queries=20)


def test_a_convolutional_network_is_not_claimed(digits_net):
    with pytest.raises((Unavailable, InsufficientEvidence)):
        ask_digits(CHECK, open_net(digits_net))
