import json

from gambeson.interfaces.cli.app import run


def test_a_dataset_is_poisoned_and_the_numbers_are_printed(tmp_path, capsys):
    words = ["data", "poison", "label_flip", "builtin:digits", "--rate", "0.1", "-o", str(tmp_path), "--json"]
    assert run(words) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["changed"] == 126
    assert (tmp_path / "data.npz").exists()


def test_a_rate_that_is_no_number_is_said(capsys):
    assert run(["data", "poison", "badnets", "builtin:digits", "--rate", "many"]) == 2
    assert "--rate" in capsys.readouterr().err


def test_the_attacks_are_listed(capsys):
    assert run(["list", "poisonings", "--json"]) == 0
    assert "badnets" in {row["attack"] for row in json.loads(capsys.readouterr().out)}
