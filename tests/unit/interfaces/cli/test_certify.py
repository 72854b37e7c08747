"""``gambeson certify`` as a user calls it."""

from __future__ import annotations

import json

import pytest


@pytest.fixture
def words(digits_net):
    net = (str(digits_net / "net.safetensors"), "--factory", f"{digits_net / 'net.py'}:build")
    return (*net, "--data", "builtin:digits", "--samples", "6", "--no-progress")


def test_the_interval_is_printed_and_written(call, words, tmp_path):
    code, out, _ = call(
        "certify", *words, "--eps", "0.005,0.02", "--method", "ibp,crown", "--out", str(tmp_path)
    )
    assert code == 0
    assert "certified (at least)" in out
    assert "0.005" in out
    assert (tmp_path / "certified.npz").exists()


def test_smoothing_says_how_often_it_abstained(call, words):
    code, out, _ = call("certify", *words, "--smooth", "0.1", "--n", "100", "--n0", "20", "--eps", "0.1")
    assert code == 0
    assert "abstained on" in out
    assert "smoothed with" in out


def test_json_goes_to_stdout_alone(call, words):
    code, out, _ = call("certify", *words, "--eps", "0.005", "--method", "ibp", "--json")
    assert code == 0
    assert json.loads(out)["brackets"][0]["eps"] == 0.005


def test_a_model_that_is_no_network_is_told_of_smoothing(call, place):
    words = ("python:model.py:scores", "--data", "builtin:digits", "--no-progress", "--samples", "8")
    code, _, err = call("certify", *words)
    assert code == 2
    assert "randomised smoothing" in " ".join(err.split())
    code, out, _ = call("certify", *words, "--smooth", "0.5", "--n", "100")
    assert code == 0
    assert "not attacked, for lack of gradients" in " ".join(out.split())
