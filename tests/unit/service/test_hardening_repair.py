"""Backdoor removal by ``gambeson harden``: a poisoned network is repaired, and both figures are told."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

import gambeson as gb
from gambeson.core.errors import UsageError
from gambeson.core.measurement import Measurement
from gambeson.core.ports import NoProgress
from gambeson.core.stats import proportion
from gambeson.core.threat import ThreatModel
from gambeson.service.commands import AuditCommand
from gambeson.service.hardening import run_harden
from gambeson.service.hardening_commands import HardenCommand
from gambeson.service.hardening_repair import Effect, judge_repair
from gambeson.service.poisoning import PoisonCommand, poison_data
from tests.unit.conftest import NET


class Report:
    findings = ()


def effect(clean: int, success: int | None) -> Effect:
    accuracy = proportion("clean_accuracy", clean, 1000)
    reached = None if success is None else proportion("attack_success", success, 1000)
    return Effect(accuracy, reached, reached)


def test_a_repair_is_judged_by_the_trigger_and_by_what_it_costs():
    good = judge_repair(effect(980, 990), effect(970, 10), Report(), Report())
    assert good.improved
    assert good.words == "attack success from 99.0% to 1.0%; clean accuracy from 98.0% to 97.0%"
    assert not judge_repair(effect(980, 990), effect(950, 10), Report(), Report()).improved
    assert not judge_repair(effect(980, 990), effect(980, 985), Report(), Report()).improved
    assert not judge_repair(effect(980, None), effect(980, None), Report(), Report()).improved


@pytest.fixture(scope="module")
def poisoned(tmp_path_factory):
    """Folder with digits poisoned by BadNets and a network trained on them."""
    folder = tmp_path_factory.mktemp("poisoned")
    poison_data(PoisonCommand("badnets", "builtin:digits", parameters=(("size", 2),), rate=0.1, out=folder))
    (folder / "net.py").write_text(NET)
    space: dict = {}
    exec(NET, space)
    net = space["build"]()
    split = gb.open_dataset(str(folder / "data.npz")).split("train")
    x, y = (torch.from_numpy(a) for a in split.take(np.arange(len(split))))
    optimiser = torch.optim.Adam(net.parameters(), lr=0.02)
    for _ in range(150):
        optimiser.zero_grad()
        torch.nn.functional.cross_entropy(net(x), y).backward()
        optimiser.step()
    save_file(net.state_dict(), folder / "net.safetensors")
    return folder


def command(poisoned, tmp_path, *parameters) -> HardenCommand:
    audit = AuditCommand(
        model=str(poisoned / "net.safetensors"),
        data="builtin:digits",
        factory=f"{poisoned / 'net.py'}:build",
        threats=(ThreatModel(),),
        profile="quick",
        samples=60,
        only=("poisoning.backdoor",),
        train_split="train",
    )
    return HardenCommand(audit, ("backdoor-removal",), (("rows", 250), *parameters), out=tmp_path / "out")


def test_a_poisoned_network_is_repaired_and_told_of(poisoned, tmp_path):
    run = run_harden(command(poisoned, tmp_path, ("poison", str(poisoned))), NoProgress())
    (made,) = run.candidates
    tables = {table.kind: table for table in made.evidence.tables}
    rows = tables["backdoor"].rows
    before, after = (float(str(row[2]).split()[0]) for row in rows)
    assert before > 0.8
    assert after < 0.5 * before
    lost = float(str(rows[0][1]).split()[0]) - float(str(rows[1][1]).split()[0])
    assert made.improved is (lost <= 0.02)
    assert "attack success from" in made.verdict
    assert len(tables["repairs"].rows) == 7
    written = json.loads((tmp_path / "out" / "backdoor-removal" / "lineage.json").read_text())
    assert dict(written["recipe"]["parameters"])["chosen"]
    assert isinstance(made.figure("p_value") or Measurement("p_value", 0.0, "", 1), Measurement)


def test_a_folder_without_a_trigger_is_refused(poisoned, tmp_path):
    chosen = command(poisoned, tmp_path, ("poison", str(tmp_path)), ("repairs", "fine_tuning"))
    with pytest.raises(UsageError, match="holds no trigger"):
        run_harden(chosen, NoProgress())
