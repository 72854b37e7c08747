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
    assert (tmp_path / "adversarial.npz").exists()


def test_an_ensemble_says_what_each_stage_broke(call, words):
    code, out, _ = call("attack", "strongest", *words, "--eps", "0.1")
    assert code == 0
    assert "apgd-ce(10): broke" in out


def test_json_goes_to_stdout_alone(call, words):
    code, out, _ = call("attack", "fmn", *words, "--nearest", "-p", "steps=20", "--json")
    assert code == 0
    assert json.loads(out)["threat"] == "linf, nearest, gradient access"


def test_a_wrong_name_is_answered_with_those_there_are(call, words):
    code, _, err = call("attack", "pgdd", *words)
    assert code == 2
    assert "strongest" in err
