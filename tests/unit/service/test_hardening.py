"""Hardening a real network: trained, written, judged before and after."""

from __future__ import annotations

import json
import os
import signal
from dataclasses import replace

import pytest
from safetensors.numpy import load_file

from gambeson.core.ports import NoProgress
from gambeson.core.reproduce import digest_file
from gambeson.core.threat import ThreatModel
from gambeson.service.commands import AuditCommand
from gambeson.service.hardening import run_harden
from gambeson.service.hardening_commands import HardenCommand


def command(net, out, **changes) -> HardenCommand:
    audit = AuditCommand(
        model=str(net / "net.safetensors"),
        factory=f"{net / 'net.py'}:build",
        data="builtin:digits",
        threats=(ThreatModel(eps=0.1),),
        profile="quick",
        samples=100,
        only=("evasion.gradient",),
    )
    return replace(HardenCommand(audit, out=out, epochs=6), **changes)


@pytest.fixture(scope="module")
def hardened(digits_net, tmp_path_factory):
    out = tmp_path_factory.mktemp("hardened")
    return run_harden(command(digits_net, out, recipes=("fast", "plain")), NoProgress()), out


def test_adversarial_training_makes_it_more_robust_and_plain_training_does_not(hardened):
    fast, plain = hardened[0].candidates
    assert (fast.name, plain.name) == ("fast", "plain")
    assert fast.improved
    assert "more robust" in fast.verdict
    assert fast.figure("robust_accuracy").value > plain.figure("robust_accuracy").value + 0.1
    assert hardened[0].improved


def test_each_candidate_has_weights_an_audit_and_its_lineage(hardened):
    run, out = hardened
    for candidate in run.candidates:
        folder = out / candidate.name
        assert load_file(folder / "model.safetensors").keys() == {"1.weight", "1.bias", "3.weight", "3.bias"}
        assert (folder / "audit" / "report.json").is_file()
        record = json.loads((folder / "lineage.json").read_text())
        assert (
            record["model"]["digest"] == digest_file(folder / "model.safetensors") == candidate.model.digest
        )
        assert record["data"]["digest"] == run.data.digest
        assert record["recipe"]["recipe"] == candidate.name
        assert record["code"].startswith("sha256:")


def test_the_page_and_the_json_show_all_models(hardened):
    run, out = hardened
    page = (out / "harden.html").read_text()
    assert all(word in page for word in ("before", "fast", "plain", "Clean against robust accuracy"))
    assert [c["name"] for c in json.loads((out / "harden.json").read_text())["candidates"]] == [
        "fast",
        "plain",
    ]
    assert run.before.figure("clean_accuracy").n == 100


class Interrupts(NoProgress):
    """Presses Ctrl-C in the middle of the training."""

    def __init__(self):
        self.done = 0

    def advance(self, check, done, note=""):
        if check.startswith("train"):
            self.done += done
            if done and self.done == 50:
                os.kill(os.getpid(), signal.SIGINT)


def test_an_interrupted_training_goes_on_to_the_same_weights(digits_net, tmp_path, hardened):
    asked = command(digits_net, tmp_path, recipes=("fast",))
    run = run_harden(asked, Interrupts())
    assert run.interrupted
    assert run.candidates == ()
    again = run_harden(replace(asked, resume=True), NoProgress())
    assert again.candidates[0].model.digest == hardened[0].candidates[0].model.digest


def test_an_ensemble_is_trained_as_one_and_opens_with_its_own_factory(digits_net, tmp_path):
    asked = command(digits_net, tmp_path, recipes=("dverge",), members=2, epochs=2)
    run = run_harden(asked, NoProgress())
    (candidate,) = run.candidates
    weights = load_file(tmp_path / "dverge" / "model.safetensors")
    assert {name.split(".")[1] for name in weights} == {"0", "1"}
    assert (tmp_path / "dverge" / "factory.py").is_file()
    (table,) = candidate.evidence.tables
    assert [row[0] for row in table.rows] == ["attack on member 1", "attack on member 2"]
    assert candidate.figure("robust_accuracy").n == 100
