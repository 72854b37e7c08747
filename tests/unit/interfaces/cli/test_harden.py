"""``gambeson harden`` as a user calls it."""

from __future__ import annotations

import json

import pytest


@pytest.fixture
def words(digits_net, tmp_path):
    return (
        str(digits_net / "net.safetensors"),
        "--factory",
        f"{digits_net / 'net.py'}:build",
        *("--data", "builtin:digits", "--eps", "0.1", "--samples", "200", "--profile", "quick"),
        *("--only", "evasion.gradient", "--no-progress", "--out", str(tmp_path / "hardened")),
    )


def test_a_recipe_that_helps_exits_with_0_and_says_by_how_much(call, words, tmp_path):
    code, out, _ = call("harden", *words, "--recipe", "fast", "--epochs", "20")
    assert code == 0, out
    assert "robust accuracy rose from" in out
    assert {p.name for p in (tmp_path / "hardened").iterdir()} == {
        "before",
        "fast",
        "harden.html",
        "harden.json",
    }


def test_a_recipe_that_does_not_help_exits_with_1(call, words):
    code, out, _ = call("harden", *words, "--recipe", "plain", "--epochs", "1", "--json")
    assert code == 1
    assert json.loads(out)["candidates"][0]["improved"] is False


def test_a_wrong_recipe_is_answered_with_those_there_are(call, words):
    code, _, err = call("harden", *words, "--recipe", "pdg")
    assert code == 2
    assert "trades" in err
