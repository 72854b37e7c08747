import json

import numpy as np
import pytest

import gambeson as gb
from gambeson.core.errors import UsageError
from gambeson.core.reproduce import digest_file
from gambeson.service.poisoning import PoisonCommand, poison_data, poison_line


def test_data_record_and_triggered_inputs_are_written(tmp_path):
    run = poison_data(
        PoisonCommand("badnets", "builtin:digits", parameters=(("size", 2),), rate=0.1, out=tmp_path)
    )
    record = json.loads((tmp_path / "poison.json").read_text())
    assert run.changed == len(record["poisoned"]) > 50
    assert record["files"]["data.npz"] == digest_file(tmp_path / "data.npz")
    poisoned = gb.open_dataset(str(tmp_path / "data.npz"))
    x, y = poisoned.split("train").take(np.array(record["poisoned"]))
    assert (y == 0).all()
    assert (x[:, 0, 5:7, 5:7] == np.array([[1, 0], [0, 1]])).all()
    sent, truth = (s := gb.open_dataset(str(tmp_path / "triggered.npz")).split("test")).take(
        np.arange(len(s))
    )
    assert (truth != 0).all()
    assert (sent[:, 0, 5:7, 5:7] == np.array([[1, 0], [0, 1]])).all()


def test_the_same_command_writes_the_same_bytes(tmp_path):
    for name in ("a", "b"):
        poison_data(PoisonCommand("blended", "builtin:digits", out=tmp_path / name, seed=4))
    assert (tmp_path / "a/data.npz").read_bytes() == (tmp_path / "b/data.npz").read_bytes()


def test_the_command_line_repeats_it():
    command = PoisonCommand(
        "bias", "a b.csv", (("label", "y"),), (("feature", "sex"),), 0.02, target="no", seed=3
    )
    assert poison_line(command) == (
        "gambeson data poison bias 'a b.csv' --data-option label=y --param feature=sex --rate 0.02 --target no --seed 3"
    )


@pytest.mark.parametrize(
    "wrong", [{"target": "eleven"}, {"victim": 10**6}, {"rate": 2.0}, {"attack": "badnest"}]
)
def test_what_is_wrong_with_a_command_is_said(wrong, tmp_path):
    values = {"attack": "badnets", "data": "builtin:digits", "out": tmp_path} | wrong
    with pytest.raises(UsageError):
        poison_data(PoisonCommand(**values))
