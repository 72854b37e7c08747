import json

from gambeson.data.writing import to_npz
from gambeson.interfaces.cli.app import run
from tests.poison_worlds import PICTURES, pictures, plain_network


def test_exit_code_1_says_that_rows_look_poisoned(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("gambeson.defenses.poisoning.inspecting.inspector", lambda schema: plain_network())
    x, y = pictures(300)
    y[:60] = (y[:60] + 1) % 4
    path = tmp_path / "data.npz"
    path.write_bytes(to_npz(PICTURES, {"train": (x, y), "test": pictures(300, seed=7)}))
    words = [
        "data",
        "inspect",
        str(path),
        "--fpr",
        "0.05",
        "--epochs",
        "1",
        "--only",
        "confident_learning,trusted_gap",
    ]
    assert run([*words, "-o", str(tmp_path / "out"), "--no-progress", "--json"]) == 1
    assert json.loads(capsys.readouterr().out)["detectors"] == ["confident_learning", "trusted_gap"]


def test_an_unknown_detector_is_said(tmp_path, capsys):
    words = ["data", "inspect", "builtin:digits", "--fpr", "0.05", "--only", "striptease", "--no-progress"]
    assert run([*words, "-o", str(tmp_path)]) == 2
    assert "striptease" in capsys.readouterr().err
