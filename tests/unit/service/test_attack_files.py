from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from gambeson.core.errors import Unavailable
from gambeson.core.ports import NoProgress
from gambeson.core.threat import ThreatModel
from gambeson.service.attack_commands import AttackCommand
from gambeson.service.attack_files import prepare_folder
from gambeson.service.attacking import run_attack_command


@pytest.fixture
def command(digits_net, tmp_path):
    return AttackCommand(
        attacks=("fgsm",),
        model=str(digits_net / "net.safetensors"),
        factory=f"{digits_net / 'net.py'}:build",
        data="builtin:digits",
        threat=ThreatModel(eps=0.2),
        samples=16,
        out=tmp_path / "found",
        png=True,
    )


def test_everything_stands_in_the_folder_and_the_pictures_are_counted(command):
    run = run_attack_command(command, NoProgress())
    assert {path.name for path in command.out.iterdir()} == {
        "adversarial.npz", "attack.html", "attack.json", "pictures",
    }  # fmt: skip
    (report,) = run.attacks
    fallen = np.load(command.out / "adversarial.npz")["fallen"].sum()
    assert len(report.pictures) == fallen > 0
    assert len(list((command.out / "pictures").iterdir())) == 3 * fallen
    figure = report.measurements[-1]
    assert figure.name == "still_fools_as_png"
    assert figure.value == pytest.approx(np.mean([p.still_fools for p in report.pictures]))


def test_several_attacks_have_a_folder_each_and_one_page(command):
    run_attack_command(replace(command, attacks=("fgsm", "pgd"), png=False), NoProgress())
    assert (command.out / "fgsm" / "adversarial.npz").exists()
    assert (command.out / "pgd" / "adversarial.npz").exists()
    page = (command.out / "attack.html").read_text()
    assert "All attacks together" in page
    assert "only this one broke" in page


def test_a_place_that_is_no_folder_is_refused_before_any_work(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(Unavailable, match="Cannot write into"):
        prepare_folder(tmp_path / "file" / "found")
