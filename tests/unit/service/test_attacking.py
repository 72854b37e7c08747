"""One attack by name, on a real network."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from gambeson.core.errors import Unavailable, UsageError
from gambeson.core.ports import NoProgress
from gambeson.core.threat import Access, Norm, ThreatModel
from gambeson.service.attacking import AttackCommand, run_one_attack


@pytest.fixture
def command(digits_net, tmp_path):
    return AttackCommand(
        attack="pgd",
        model=str(digits_net / "net.safetensors"),
        factory=f"{digits_net / 'net.py'}:build",
        data="builtin:digits",
        parameters=(("steps", 10),),
        threat=ThreatModel(eps=0.15),
        samples=40,
        out=tmp_path / "found",
    )


def run(command):
    report = run_one_attack(command, NoProgress())
    return report, {figure.name: figure for figure in report.measurements}


def test_figures_and_files_tell_the_same(command):
    _, figures = run(command)
    kept = np.load(command.out / "adversarial.npz")
    assert len(kept["y"]) == round(40 * figures["clean_accuracy"].value)
    assert figures["robust_accuracy"].value == pytest.approx((len(kept["y"]) - kept["fallen"].sum()) / 40)
    moved = np.abs(kept["x_adversarial"] - kept["x"]).reshape(len(kept["y"]), -1).max(1)
    assert moved.max() <= 0.15 + 1e-6
    assert (moved[~kept["fallen"]] == 0).all()
    assert figures["median_distance"].value == pytest.approx(np.median(moved[kept["fallen"]]), rel=1e-4)
    assert json.loads((command.out / "attack.json").read_text())["attack"] == "pgd"


def test_the_nearest_input_is_nearer_than_a_radius_and_needs_none(command):
    _, figures = run(replace(command, attack="fmn", nearest=True, parameters=(("steps", 60),)))
    assert "robust_accuracy" not in figures
    assert 0 < figures["median_distance"].value < 0.3
    band = figures["median_distance"].interval
    assert band.low <= figures["median_distance"].value <= band.high


def test_strongest_leaves_no_more_than_one_attack_alone(command):
    alone = run(command)[1]["robust_accuracy"].value
    report, figures = run(replace(command, attack="strongest", parameters=()))
    assert figures["robust_accuracy"].value <= alone
    assert len(report.stages) > 1


@pytest.mark.parametrize(
    ("changes", "error", "said"),
    [
        ({"attack": "pgdd"}, UsageError, "Unknown attack 'pgdd'"),
        ({"parameters": (("step", 3),)}, UsageError, "does not take these parameters"),
        ({"nearest": True}, Unavailable, "does not look for the nearest"),
        ({"attack": "autoattack"}, UsageError, "takes neither parameters nor --nearest"),
        ({"threat": ThreatModel(access=Access.SCORES)}, Unavailable, "needs gradient access"),
        ({"attack": "ddn", "parameters": ()}, Unavailable, "does not work under linf"),
        ({"samples": 0}, UsageError, "0 samples"),
        ({"batch_size": 0}, UsageError, "batch size is 0"),
    ],
)
def test_what_makes_no_sense_is_refused(command, changes, error, said):
    with pytest.raises(error, match=said):
        run(replace(command, **changes))


def test_a_folder_that_cannot_be_made_is_named(command, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(Unavailable, match="Cannot write into"):
        run(replace(command, out=tmp_path / "file" / "found", samples=8))


def test_a_label_only_attack_runs_on_labels(command):
    threat = ThreatModel(norm=Norm.L2, eps=1.5, access=Access.LABELS)
    _, figures = run(
        replace(command, attack="hopskipjump", parameters=(("queries", 300),), threat=threat, samples=10)
    )
    assert figures["robust_accuracy"].value < figures["clean_accuracy"].value
