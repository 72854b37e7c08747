import csv
import json
from dataclasses import replace

import numpy as np
import pytest

from gambeson.core.errors import UsageError
from gambeson.core.ports import NoProgress
from gambeson.data.writing import to_npz
from gambeson.service.inspecting import InspectCommand, inspect_data, inspect_line
from tests.poison_worlds import PICTURES, pictures, plain_network

NAMES = ("confident_learning", "trusted_gap")


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr("gambeson.defenses.poisoning.inspecting.inspector", lambda schema: plain_network())


def written(tmp_path, wrong: int):
    x, y = pictures(300)
    y[:wrong] = (y[:wrong] + 1) % 4
    path = tmp_path / "data.npz"
    path.write_bytes(to_npz(PICTURES, {"train": (x, y), "test": pictures(300, seed=7)}))
    return str(path)


def test_wrong_rows_are_listed_and_the_page_is_written(tmp_path):
    command = InspectCommand(written(tmp_path, 40), rate=0.05, epochs=1, names=NAMES, out=tmp_path / "out")
    run = inspect_data(command, NoProgress())
    assert run.poisoned
    assert np.isin(np.arange(40), run.rows).mean() > 0.8
    with (tmp_path / "out" / "flagged.csv").open() as stream:
        rows = list(csv.DictReader(stream))
    assert int(rows[0]["row"]) < 40
    assert sorted(int(row["row"]) for row in rows) == list(run.rows)
    assert json.loads((tmp_path / "out" / "inspect.json").read_text())["share"] == run.share
    assert "Flagged rows" in (tmp_path / "out" / "inspect.html").read_text()


def test_suspected_and_trusted_rows_must_differ(tmp_path):
    with pytest.raises(UsageError, match="at once"):
        inspect_data(InspectCommand(written(tmp_path, 0), trusted_split="train", out=tmp_path), NoProgress())
    with pytest.raises(UsageError, match="shape"):
        inspect_data(
            InspectCommand(written(tmp_path, 0), trusted="builtin:breast_cancer", out=tmp_path), NoProgress()
        )


def test_the_command_line_repeats_it():
    command = InspectCommand("a.npz", trusted="b.npz", names=("strip",), seed=2)
    words = "gambeson data inspect a.npz --trusted b.npz --split train --trusted-split test"
    assert inspect_line(command) == f"{words} --epochs 4 --only strip --seed 2"
    assert inspect_line(replace(command, rate=0.05)) == f"{words} --fpr 0.05 --epochs 4 --only strip --seed 2"
