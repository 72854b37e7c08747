"""``gambeson scan`` as a user calls it."""

from __future__ import annotations

import json

import pytest

from tests.corpus.opcodes import EVIL, HARMLESS


@pytest.fixture
def models(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "bad.pkl").write_bytes(EVIL)
    (tmp_path / "good.pkl").write_bytes(HARMLESS)
    (tmp_path / "noise.bin").write_bytes(b"\xff\x00")
    (tmp_path / "link").symlink_to("/")
    return tmp_path


def test_a_finding_is_shown_with_its_place_and_remedy_and_closes_the_gate(call, models):
    code, out, _ = call("scan", ".")
    words = " ".join(out.split())
    assert code == 1
    assert "critical" in words
    assert "os.system" in words
    assert "bad.pkl@25" in words
    assert "safetensors" in words
    assert "4 files: 1 passed, 1 failed, 2 not assessed, 0 could not be read" in words
    assert "skipped ./link: a link that leads out of the folder" in words


def test_a_clean_file_passes_silently(call, models):
    code, out, _ = call("scan", "good.pkl", "--no-progress")
    assert code == 0
    assert "gate open" in out


@pytest.mark.parametrize(("fail_on", "code"), [("never", 0), ("critical", 1), ("low", 1)])
def test_the_gate_is_where_it_was_put(call, models, fail_on, code):
    assert call("scan", "bad.pkl", "--fail-on", fail_on)[0] == code


def test_json_names_every_file_with_its_digest(call, models):
    code, out, _ = call("scan", ".", "--json", "--no-progress")
    files = {file["path"]: file for file in json.loads(out)["files"]}
    assert code == 1
    assert files["./bad.pkl"]["findings"][0]["severity"] == "critical"
    assert files["./good.pkl"]["digest"].startswith("sha256:")
    assert "digest" not in files["./link"]


def test_sarif_is_written(call, models):
    call("scan", "bad.pkl", "--sarif", "out/scan.sarif", "--no-progress")
    (run,) = json.loads((models / "out" / "scan.sarif").read_text())["runs"]
    assert [item["ruleId"] for item in run["results"]] == ["scan.pickle.dangerous"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("none.pkl",), "No such file"), (("good.pkl", "--fail-on", "some"), "never, low"),
        (("good.pkl", "--digest", "md5"), "sha256 or blake3"), (("good.pkl", "--jobs", "0"), "at least 1"),
        (("good.pkl", "--jobs", "two"), "whole number"), ((), "PATH"),
    ],
)  # fmt: skip
def test_wrong_usage_is_exit_code_2_and_says_what_is_right(call, models, words, said):
    code, _, err = call("scan", *words)
    assert code == 2
    assert said in err


def test_a_name_that_drives_the_terminal_does_not(call, models):
    (models / "\x1b[31mred.pkl").write_bytes(EVIL)
    assert "\x1b[31mred" not in call("scan", ".", "--no-progress")[1]
