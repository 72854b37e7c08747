"""Attacks by name, on a real network."""

from __future__ import annotations

import json
import os
import signal
from dataclasses import replace

import numpy as np
import pytest

from gambeson.core.errors import Unavailable, UsageError
from gambeson.core.ports import NoProgress
from gambeson.core.threat import Access, Norm, ThreatModel
from gambeson.service.attack_commands import AttackCommand
from gambeson.service.attacking import run_attack_command


@pytest.fixture
def command(digits_net, tmp_path):
    return AttackCommand(
        attacks=("pgd",),
        model=str(digits_net / "net.safetensors"),
        factory=f"{digits_net / 'net.py'}:build",
        data="builtin:digits",
        parameters=(("steps", 10),),
        threat=ThreatModel(eps=0.15),
        samples=40,
        out=tmp_path / "found",
    )


def run(command):
    (report,) = run_attack_command(command, NoProgress()).attacks
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
    assert json.loads((command.out / "attack.json").read_text())["attacks"][0]["attack"] == "pgd"


def test_the_nearest_input_is_nearer_than_a_radius_and_needs_none(command):
    _, figures = run(replace(command, attacks=("fmn",), nearest=True, parameters=(("steps", 60),)))
    assert "robust_accuracy" not in figures
    assert 0 < figures["median_distance"].value < 0.3
    band = figures["median_distance"].interval
    assert band.low <= figures["median_distance"].value <= band.high


def test_strongest_leaves_no_more_than_one_attack_alone(command):
    alone = run(command)[1]["robust_accuracy"].value
    report, figures = run(replace(command, attacks=("strongest",), parameters=()))
    assert figures["robust_accuracy"].value <= alone
    assert len(report.stages) > 1


@pytest.mark.parametrize(
    ("changes", "error", "said"),
    [
        ({"attacks": ("pgdd",)}, UsageError, "Unknown attack 'pgdd'"),
        ({"parameters": (("step", 3),)}, UsageError, "does not take these parameters: 'step'"),
        ({"nearest": True}, Unavailable, "does not look for the nearest"),
        ({"attacks": ("autoattack",)}, UsageError, "takes neither parameters nor --nearest"),
        ({"threat": ThreatModel(access=Access.SCORES)}, Unavailable, "needs gradient access"),
        ({"attacks": ("ddn",), "parameters": ()}, Unavailable, "does not work under linf"),
        ({"samples": 0}, UsageError, "0 samples"),
        (
            {"data": "builtin:breast_cancer", "png": True},
            UsageError,
            "png needs images",
        ),
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
        replace(command, attacks=("hopskipjump",), parameters=(("queries", 300),), threat=threat, samples=10)
    )
    assert figures["robust_accuracy"].value < figures["clean_accuracy"].value


def test_several_attacks_get_the_same_samples_and_each_finds_what_it_finds_alone(command):
    alone, _ = run(command)
    both = run_attack_command(
        replace(command, attacks=("fgsm", "pgd"), parameters=(("pgd.steps", 10),)), NoProgress()
    )
    assert both.attacks[1].measurements == alone.measurements
    weak, strong = (r.measurements[1].value for r in both.attacks)
    worst = next(m for m in both.together if m.name == "robust_accuracy")
    assert worst.value <= min(weak, strong)
    assert both.comparison.rows[0][1] == pytest.approx(100 * min(weak, strong), abs=0.01)
    assert (command.out / "pgd" / "adversarial.npz").exists()
    assert (command.out / "fgsm" / "adversarial.npz").exists()


def test_same_seed_same_json_whatever_the_batch_size(command):
    trees = []
    for size in (8, 64):
        tree = json.loads(run_attack_command(replace(command, batch_size=size), NoProgress()).to_json())
        tree.pop("times")
        trees.append(tree)
    assert trees[0] == trees[1]


class Interrupting(NoProgress):
    """Presses Ctrl-C once something was done."""

    def __init__(self):
        self.left = 30

    def advance(self, check, done, note=""):
        self.left -= 1
        if self.left == 0:
            os.kill(os.getpid(), signal.SIGINT)


def test_an_interrupt_keeps_what_fell_and_says_what_was_left_out(command):
    long = replace(command, parameters=(("steps", 200),), threat=ThreatModel(eps=0.05))
    found = run_attack_command(long, Interrupting())
    (report,) = found.attacks
    assert found.interrupted
    assert "stopped on" in report.cut[0] or "did not run" in report.cut[0]
    assert {m.name for m in report.measurements} >= {"robust_accuracy", "still_falling"}
    assert "Interrupted" in (command.out / "attack.html").read_text()


def test_a_time_budget_that_is_over_winds_up_without_an_interrupt(command):
    found = run_attack_command(replace(command, time_budget=1e-9), NoProgress())
    assert not found.interrupted
    assert found.attacks[0].cut


class Listening(NoProgress):
    def __init__(self):
        self.notes = []

    def finish(self, check, note=""):
        self.notes.append(note)


def test_progress_ends_with_the_bound(command):
    listening = Listening()
    found = run_attack_command(command, listening)
    robust = next(m.value for m in found.attacks[0].measurements if m.name == "robust_accuracy")
    assert f"robust accuracy at most {robust:.1%}" in listening.notes[0]
