"""A private candidate from the command to weights, statement, factory and resume."""

from __future__ import annotations

import json
import os
import signal
from dataclasses import replace

import pytest
from safetensors.numpy import load_file, save_file

from gambeson.core.errors import UsageError
from gambeson.core.ports import NoProgress
from gambeson.core.threat import ThreatModel
from gambeson.service.commands import AuditCommand
from gambeson.service.hardening import run_harden
from gambeson.service.hardening_commands import HardenCommand

pytest.importorskip("dp_accounting")
PARAMETERS = (("epsilon", 5.0), ("self_test", False), ("learning_rate", 1.0))


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
    given = HardenCommand(audit, recipes=("private",), parameters=PARAMETERS, out=out, epochs=4, batch=500)
    return replace(given, **changes)


@pytest.fixture(scope="module")
def hardened(digits_net, tmp_path_factory):
    out = tmp_path_factory.mktemp("private")
    return run_harden(command(digits_net, out), NoProgress()), out


def test_it_promises_and_states_it_in_report_page_and_lineage(hardened):
    run, out = hardened
    (candidate,) = run.candidates
    promise = candidate.training.promise
    assert 4.9 < promise.epsilon <= 5.0
    assert candidate.improved
    assert candidate.verdict.startswith(
        "epsilon 5 at delta 0.0001 for each of 1,258 records; clean accuracy from"
    )
    record = json.loads((out / "private" / "lineage.json").read_text())
    assert record["recipe"]["promise"]["epsilon"] == promise.epsilon
    assert record["made from"]["weights"] == "new"
    assert "Privacy statement" in (out / "harden.html").read_text()
    assert load_file(out / "private" / "model.safetensors").keys() == {
        "1.weight",
        "1.bias",
        "3.weight",
        "3.bias",
    }


class Interrupts(NoProgress):
    """Presses Ctrl-C in the middle of the training."""

    def __init__(self):
        self.done = 0

    def advance(self, check, done, note=""):
        if check.startswith("train"):
            self.done += done
            if done and self.done == 5:
                os.kill(os.getpid(), signal.SIGINT)


def test_an_interrupted_training_goes_on_and_keeps_its_promise(digits_net, tmp_path):
    repeatable = (*PARAMETERS, ("repeatable", True))
    whole = run_harden(command(digits_net, tmp_path / "one", parameters=repeatable), NoProgress())
    asked = command(digits_net, tmp_path / "two", parameters=repeatable)
    assert run_harden(asked, Interrupts()).interrupted
    again = run_harden(replace(asked, resume=True), NoProgress())
    assert again.candidates[0].model.digest == whole.candidates[0].model.digest
    assert not again.candidates[0].improved  # a seed undoes the promise


BATCHED = """
from torch import nn


def build():
    return nn.Sequential(nn.Flatten(), nn.Linear(64, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Linear(8, 10))
"""


@pytest.fixture(scope="module")
def batched(tmp_path_factory):
    folder = tmp_path_factory.mktemp("batched")
    (folder / "net.py").write_text(BATCHED)
    space: dict = {}
    exec(BATCHED, space)
    state = {name: value.numpy() for name, value in space["build"]().state_dict().items()}
    save_file(state, folder / "net.safetensors")
    return folder


def test_what_cannot_be_private_is_refused_before_anything_is_audited(batched, tmp_path):
    with pytest.raises(UsageError, match="2: BatchNorm1d mixes the rows"):
        run_harden(command(batched, tmp_path / "out"), NoProgress())
    assert not (tmp_path / "out").exists()


def test_a_replaced_layer_gets_a_factory_of_its_own(batched, tmp_path):
    run = run_harden(command(batched, tmp_path, parameters=(*PARAMETERS, ("replace", True))), NoProgress())
    assert (tmp_path / "private" / "factory.py").is_file()
    assert run.candidates[0].figure("clean_accuracy") is not None


def test_a_promise_that_no_noise_keeps_is_an_error(digits_net, tmp_path):
    with pytest.raises(UsageError, match="No noise reaches"):
        run_harden(
            command(digits_net, tmp_path, parameters=(("epsilon", 1e-4), ("delta", 1e-9))), NoProgress()
        )
