"""Ownership as a use-case: verdicts, the way from a marked model to its watermark, and what is refused."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from gambeson.core.errors import IntegrityError, Unavailable, UsageError
from gambeson.core.ports import NoProgress
from gambeson.core.threat import Access
from gambeson.service.owning import MarkCommand, OwnershipCommand, mark_model, read_triggers, verify_ownership

CALLABLE = """
import numpy as np

def scores(x):
    flat = x.reshape(len(x), -1)
    return np.stack([flat[:, i::10].sum(1) for i in range(10)], 1).astype(np.float32)
"""


@pytest.fixture(scope="module")
def ours(digits_net):
    return {"model": str(digits_net / "net.safetensors"), "factory": f"{digits_net / 'net.py'}:build"}


@pytest.fixture(scope="module")
def marked(ours, tmp_path_factory):
    folder = tmp_path_factory.mktemp("mark")
    command = MarkCommand(data="builtin:digits", count=12, passes=40, seed=5, out=folder, **ours)
    return mark_model(command, NoProgress()), folder


def verify(ours, suspect, **changes):
    command = OwnershipCommand(suspect=str(suspect), data="builtin:digits", **ours)
    return verify_ownership(replace(command, **changes), NoProgress())


def test_the_model_itself_is_derived_from_itself(ours):
    report = verify(ours, ours["model"], train=5, inputs=100)
    labels, test = report.tests
    assert report.derived
    assert report.p_value == 2 * min(labels.p_value, test.p_value) < 0.01
    assert (test.name, len(test.references)) == ("kinship of scores", 5)
    assert test.rank_p_value == pytest.approx(1 / 6)
    assert "normally distributed" in report.notes[0]
    assert json.loads(report.to_json())["derived"] is True


def test_a_marked_model_is_found_by_its_watermark_alone(ours, marked):
    written, folder = marked
    assert written.matches >= 8
    assert written.accuracy_after > 0.9
    found = verify(ours, folder / "marked.safetensors", train=0, triggers=folder / "triggers.npz")
    assert found.derived
    assert (found.tests[0].name, found.tests[0].rank_p_value) == ("watermark", None)
    innocent = verify(ours, ours["model"], train=0, triggers=folder / "triggers.npz")
    assert not innocent.derived


def test_two_tests_pay_for_each_other(ours, marked):
    triggers = marked[1] / "triggers.npz"
    report = verify(ours, ours["model"], train=5, inputs=100, triggers=triggers, access=Access.LABELS)
    assert report.p_value == pytest.approx(min(1.0, 2 * min(test.p_value for test in report.tests)))


def test_references_may_be_given(ours):
    report = verify(ours, ours["model"], train=0, references=(ours["model"],) * 5, inputs=50)
    assert len(report.tests[0].references) == 5


def test_a_function_cannot_be_trained_anew(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("model.py").write_text(CALLABLE)
    ours = {"model": "python:model.py:scores"}
    with pytest.raises(Unavailable, match="cannot be trained anew"):
        verify(ours, ours["model"])
    with pytest.raises(Unavailable, match="cannot be trained further"):
        mark_model(MarkCommand(data="builtin:digits", seed=1, **ours), NoProgress())


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"alpha": 2.0}, "alpha is 2"),
        ({"train": 3}, "3 independent models"),
        ({"train": 0, "triggers": Path("nowhere.npz")}, "does not exist"),
    ],
)
def test_wrong_commands_are_refused(ours, changes, message):
    with pytest.raises(UsageError, match=message):
        verify(ours, ours["model"], **changes)


def test_a_trigger_file_must_be_one_and_fit(tmp_path, ours):
    import gambeson as gb

    data = gb.open_dataset("builtin:digits")
    (tmp_path / "broken.npz").write_bytes(b"PK nothing")
    with pytest.raises(IntegrityError, match="cannot be read as a trigger set"):
        read_triggers(tmp_path / "broken.npz", data)
    np.savez(tmp_path / "other.npz", x=np.zeros((3, 2, 2)), answers=np.zeros(3))
    with pytest.raises(UsageError, match=r"\(n, 1, 8, 8\)"):
        read_triggers(tmp_path / "other.npz", data)


def test_no_passes_and_no_place_to_write_are_refused(ours, tmp_path):
    command = MarkCommand(
        data="builtin:digits", count=3, passes=1, seed=1, out=tmp_path / "file" / "below", **ours
    )
    with pytest.raises(UsageError, match="0 passes"):
        mark_model(replace(command, passes=0), NoProgress())
    (tmp_path / "file").write_text("")
    with pytest.raises(Unavailable, match="Cannot write"):
        mark_model(command, NoProgress())
