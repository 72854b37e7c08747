from __future__ import annotations

import json
import pickle

import jsonschema
import pytest

from gambeson.audit.report.json_report import report_schema


def test_the_gate_decides_the_exit_code(call, place, audit_words):
    assert call(*audit_words, "--eps", "0.5", "--fail-on", "never")[0] == 0
    code = call(
        *audit_words,
        "--eps",
        "0.5",
        "--fail-on",
        "never",
        "--threshold",
        "evasion.scores.robust_accuracy >= 2",
    )[0]
    assert code == 1


def test_json_on_stdout_is_the_report(call, place, audit_words):
    _, out, _ = call(*audit_words, "--json", "--fail-on", "never")
    jsonschema.validate(json.loads(out), report_schema())
    assert json.loads(out) == json.loads((place / "gambeson-audit" / "report.json").read_text())


def test_flags_overrule_the_file(call, place, audit_words):
    (place / "gambeson.toml").write_text('[audit]\nseed = 3\nsamples = 4\n[gate]\nfail_on = "never"\n')
    _, out, _ = call(*audit_words, "--json", "--seed", "9")
    report = json.loads(out)
    assert report["seed"] == 9
    assert report["findings"][0]["evidence"]["samples"] == 8
    assert report["gate"]["fail_on"] is None


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        (("--eps", "0"), "eps is 0"),
        (("--eps", "8"), "8/255"),
        (("--eps", "big"), "'big'"),
        (("--norm", "l7"), "linf, l2, l1, l0"),
        (("--access", "weights"), "labels, scores, gradient"),
        (("--data-option", "header"), "KEY=VALUE"),
        (("--data-option", "hedaer=none"), "hedaer"),
        (("--freeze", "age"), "'age'"),
        (("--threshold", "x"), "no rule"),
        (("--fail-on", "awful"), "never"),
        (("--time-budget", "soon"), "10m"),
        (("--format", "pdf"), "'pdf'"),
        (("--split", "validation"), "validation"),
        (("--out", "model.py/out"), "--out"),
        (("--config", "none.toml"), "none.toml"),
    ],
)
def test_a_wrong_flag_is_one_clear_error_and_leaves_nothing(call, place, audit_words, flags, said):
    before = sorted(place.rglob("*"))
    code, _, err = call(*audit_words, *flags)
    assert code == 2
    assert said in err
    assert [p for p in sorted(place.rglob("*")) if "__pycache__" not in str(p)] == before


@pytest.mark.parametrize(
    "name", ["model.pkl", "model.onnx", "model.safetensors", "model.skops", "model.json"]
)
def test_a_pickle_is_refused_under_every_name(call, place, name):
    (place / name).write_bytes(pickle.dumps({"a": 1}))
    code, _, err = call("audit", name, "--data", "builtin:digits")
    assert code == 2
    assert "pickle" in err.lower()
