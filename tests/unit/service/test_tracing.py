"""A store is opened where it is, and a ledger by its URI."""

from __future__ import annotations

import getpass

import pytest

from gambeson.core.errors import UsageError
from gambeson.service.tracing import Places, open_workspace, user
from tests.trace_world import TraceWorld


def test_what_was_written_is_there_when_it_is_opened_again(tmp_path):
    world = TraceWorld(tmp_path)
    world.data()
    assert world.reopened().registry.version("people").ref == "people@1"


def test_a_store_that_is_not_there_is_said_and_not_made(tmp_path):
    with pytest.raises(UsageError, match="no store"):
        open_workspace(Places(tmp_path / "none"))
    assert not (tmp_path / "none").exists()


def test_the_ledger_may_lie_elsewhere(tmp_path):
    space = open_workspace(Places(tmp_path, f"sqlite:{tmp_path}/other.db"), create=True)
    space.registry.ledger.append("ann", "note", dict)
    assert (tmp_path / "other.db").exists()
    with pytest.raises(UsageError, match="Unknown ledger"):
        open_workspace(Places(tmp_path, "mysql://x"), create=True)


def test_a_machine_that_knows_no_user_is_no_error(monkeypatch):
    def nobody():
        raise KeyError("uid")

    monkeypatch.setattr(getpass, "getuser", nobody)
    assert user() == "unknown"
