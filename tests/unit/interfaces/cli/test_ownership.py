"""``gambeson ownership`` as a user calls it."""

from __future__ import annotations

import json

import pytest


@pytest.fixture
def net(digits_net):
    words = ("--factory", f"{digits_net / 'net.py'}:build", "--data", "builtin:digits", "--no-progress")
    return str(digits_net / "net.safetensors"), words


def test_from_mark_to_verdict(call, net, tmp_path):
    model, words = net
    code, out, _ = call(
        "ownership", "mark", model, *words, "--count", "10", "--passes", "30", "--seed", "5", "-o", tmp_path
    )
    assert code == 0
    assert "secret answers are given" in out
    marked, triggers = (
        tmp_path / "marked.safetensors",
        ("--triggers", tmp_path / "triggers.npz", "--train", "0"),
    )
    code, out, _ = call("ownership", "verify", model, marked, *words, *triggers)
    assert code == 1
    assert "was derived from" in " ".join(out.split())
    code, out, _ = call("ownership", "verify", model, model, *words, *triggers, "--json")
    assert code == 0
    assert json.loads(out)["derived"] is False


def test_marking_prints_json_too(call, net, tmp_path):
    model, words = net
    words = (*words, "--count", "5", "--passes", "1", "-o", tmp_path, "--json")
    code, out, _ = call("ownership", "mark", model, *words)
    assert code == 0
    assert json.loads(out)["inputs"] == 5


def test_a_wrong_value_is_exit_code_2(call, net):
    model, words = net
    code, _, err = call("ownership", "verify", model, model, *words, "--alpha", "3")
    assert code == 2
    assert "--alpha" in err
