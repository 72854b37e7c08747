from __future__ import annotations

from dataclasses import replace

import pytest

from gambeson.core.errors import UsageError
from gambeson.core.threat import ThreatModel
from gambeson.service.commands import AuditCommand
from gambeson.service.journaling import open_journal


@pytest.fixture
def command(tmp_path):
    return AuditCommand(model="m", data="d", out=tmp_path / "out")


def test_the_same_audit_goes_on_and_counts_its_resumptions(command):
    journal, resumed = open_journal(command, "m1", "d1")
    assert resumed == 0
    journal.save("k", {})
    again = replace(command, resume=True, batch_size=8)
    assert [open_journal(again, "m1", "d1")[1] for _ in range(2)] == [1, 2]
    assert journal.load("k") is not None


def test_a_fresh_audit_forgets_the_old_one(command):
    open_journal(command, "m1", "d1")[0].save("k", {})
    assert open_journal(command, "m1", "d1")[0].load("k") is None


@pytest.mark.parametrize(
    ("change", "digests", "words"),
    [
        ({"seed": 5}, ("m1", "d1"), "another seed: 0, now 5"),
        ({}, ("m2", "d1"), "another model"),
        ({}, ("m1", "d2"), "another data"),
        ({"profile": "quick"}, ("m1", "d1"), "another profile"),
        (
            {"threats": (ThreatModel(eps=0.12345, queries=9, frozen=("age",)),)},
            ("m1", "d1"),
            "now linf eps=0.12345, 0 categories, gradient access, 9 queries, age frozen",
        ),
    ],
)
def test_another_audit_is_not_resumed(command, change, digests, words):
    open_journal(command, "m1", "d1")
    with pytest.raises(UsageError, match=words):
        open_journal(replace(command, resume=True, **change), *digests)


def test_nothing_to_resume_is_said(command):
    with pytest.raises(UsageError, match="no audit to resume"):
        open_journal(replace(command, resume=True), "m1", "d1")


def test_a_folder_that_cannot_be_made_is_one_clear_error(command, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match="cannot be written to"):
        open_journal(replace(command, out=tmp_path / "file" / "out"), "m1", "d1")
