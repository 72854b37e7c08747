"""The artefact check reads the file that was opened, and fails with the worst thing in it."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from safetensors.torch import save
from torch import nn

from gambeson.audit.base import PROFILES, CheckContext, checks
from gambeson.audit.checks.artifact import privacy_artifact
from gambeson.audit.runner import AuditClock, Task, run_tasks
from gambeson.core.errors import InsufficientEvidence
from gambeson.core.finding import Outcome, Severity
from gambeson.core.reproduce import Seed, digest_bytes
from gambeson.core.threat import ThreatModel
from gambeson.models.model import ModelInfo
from tests.membership_worlds import dataset, records
from tests.tiny_models import ScoreModel

WEIGHTS = {"w": torch.zeros(10)}


def context(path, *, digest=None, parameters=0) -> CheckContext:
    model = ScoreModel(lambda x: x, (6,), 4)
    digest = digest_bytes([path.read_bytes()]) if digest is None else digest
    model.info = ModelInfo(str(path), "torch", (6,), 4, "logits", digest, parameters)
    return CheckContext(
        "privacy.artifact",
        model,
        dataset(records(5, 1), records(5, 2)),
        ThreatModel(),
        PROFILES["quick"],
        Seed(0),
    )


def audit(path, **more):
    (finding,) = privacy_artifact(context(path, **more))
    return finding


@pytest.fixture
def bare(tmp_path):
    path = tmp_path / "net.safetensors"
    path.write_bytes(save(WEIGHTS))
    return path


def test_bare_weights_pass(bare):
    finding = audit(bare)
    assert (finding.outcome, finding.severity, finding.remedy) == (Outcome.PASSED, Severity.INFO, "")
    assert finding.measurement("leftovers").value == 0


def test_a_training_checkpoint_fails_and_the_way_out_is_named(tmp_path):
    network, path = nn.Linear(4, 4), tmp_path / "net.pt"
    optimiser = torch.optim.Adam(network.parameters())
    network(torch.rand(3, 4)).sum().backward()
    optimiser.step()
    torch.save({"state_dict": network.state_dict(), "optimizer": optimiser.state_dict()}, path)
    finding = audit(path)
    assert (finding.outcome, finding.severity) == (Outcome.FAILED, Severity.MEDIUM)
    assert "optimiser: save model.state_dict() alone" in finding.remedy
    (table,) = finding.evidence.tables
    assert "exp_avg" in table.rows[0][2]


def test_what_serving_needs_is_listed_and_fails_nothing(tmp_path):
    path = tmp_path / "net.safetensors"
    path.write_bytes(save(nn.BatchNorm1d(3).state_dict()))
    finding = audit(path)
    assert finding.outcome is Outcome.PASSED
    assert finding.evidence.tables[0].rows[0][0] == "batch norm"


def test_a_file_much_larger_than_its_parameters_is_named(tmp_path):
    path = tmp_path / "net.safetensors"
    path.write_bytes(save({"w": torch.zeros(100_000)}))
    assert audit(path, parameters=100_000).outcome is Outcome.PASSED
    finding = audit(path, parameters=40_000)
    assert (finding.outcome, finding.severity) == (Outcome.FAILED, Severity.LOW)
    assert "2.5 times" in finding.summary


@pytest.mark.parametrize(("digest", "reason"), [("", "not a file"), ("sha256:0", "has changed")])
def test_without_the_very_file_nothing_is_claimed(bare, digest, reason):
    with pytest.raises(InsufficientEvidence, match=reason):
        audit(bare, digest=digest)


def test_it_needs_whoever_holds_the_file_but_no_gradients(bare):
    facts = checks["privacy.artifact"].facts
    task = Task("privacy.artifact", facts, replace(context(bare)))
    (done,) = run_tasks([task], AuditClock(), float("inf"))
    assert [finding.outcome for finding in done.findings] == [Outcome.PASSED]
