"""``gambeson attack`` as a user calls it."""

from __future__ import annotations

import json

import pytest


@pytest.fixture
def words(digits_net):
    return (
        str(digits_net / "net.safetensors"),
        "--factory",
        f"{digits_net / 'net.py'}:build",
        "--data",
        "builtin:digits",
        "--samples",
        "20",
        "--no-progress",
    )


def test_one_attack_prints_a_table_and_writes_what_it_found(call, words, tmp_path):
    code, out, _ = call("attack", "pgd", *words, "--eps", "0.1", "-p", "steps=5", "--out", str(tmp_path))
    assert code == 0
    assert "robust accuracy" in out
    assert {p.name for p in tmp_path.iterdir()} == {"adversarial.npz", "attack.html", "attack.json"}


def test_an_ensemble_says_what_each_stage_broke(call, words):
    code, out, _ = call("attack", "strongest", *words, "--eps", "0.1")
    assert code == 0
    assert "apgd-ce(4)" in out
    assert "square(5000)" in out


def test_json_goes_to_stdout_alone(call, words):
    code, out, _ = call("attack", "fmn", *words, "--nearest", "-p", "steps=20", "--json")
    assert code == 0
    assert json.loads(out)["attacks"][0]["threat"] == "linf, nearest, gradient access"


def test_a_wrong_name_is_answered_with_those_there_are(call, words):
    code, _, err = call("attack", "pgdd", *words)
    assert code == 2
    assert "strongest" in err


def test_several_attacks_are_compared(call, words):
    code, out, _ = call("attack", "fgsm,pgd", *words, "--eps", "0.1", "-p", "pgd.steps=5")
    assert code == 0
    assert {"fgsm", "pgd"} <= {line.split()[0] for line in out.splitlines() if line.strip()}
    assert "All together" in out


def test_png_without_a_folder_is_refused(call, words):
    code, _, err = call("attack", "fgsm", *words, "--png")
    assert code == 2
    assert "add --out FOLDER" in err


BAD = """
import importlib.util
import torch
from torch import nn

spec = importlib.util.spec_from_file_location("honest", {path!r})
honest = importlib.util.module_from_spec(spec)
spec.loader.exec_module(honest)


def random():
    net = honest.build()
    net.register_forward_hook(lambda module, args, scores: scores + torch.randn_like(scores))
    return net


def company():
    net = honest.build()
    net.register_forward_hook(lambda module, args, scores: scores - scores.mean(0))
    return net


def infinite():
    net = honest.build()
    net.register_forward_pre_hook(lambda module, args: (args[0].sqrt() ** 2,))
    return net
"""


@pytest.mark.parametrize(
    ("factory", "said"),
    [("random", "a second time"), ("company", "another batch"), ("infinite", "input gradients that are NaN")],
)
def test_a_model_that_cannot_be_judged_is_refused_with_the_reason(
    call, words, digits_net, tmp_path, factory, said
):
    (tmp_path / "bad.py").write_text(BAD.format(path=str(digits_net / "net.py")))
    bad = [f"{tmp_path / 'bad.py'}:{factory}" if ":build" in word else word for word in words]
    code, out, err = call("attack", "pgd", *bad, "--eps", "0.1")
    assert code == 2
    assert said in err
    assert "robust" not in out


def test_a_budget_below_one_step_is_refused_with_the_least(call, words):
    code, out, err = call("attack", "apgd", *words, "--eps", "0.1", "--queries", "1")
    assert code == 2
    assert "at least 2 queries" in err
    assert "robust" not in out
