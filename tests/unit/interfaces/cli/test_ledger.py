"""The ledger is shown, proved and checked against an earlier state from the command line."""

from __future__ import annotations

import json

import pytest

from gambeson.service.tracing import now
from gambeson.supply.merkle import includes
from tests.trace_world import TraceWorld, rows


@pytest.fixture
def world(place, monkeypatch):
    world = TraceWorld(place, now)
    monkeypatch.setenv("GAMBESON_STORE", str(world.places.store))
    monkeypatch.setenv("GAMBESON_KEYRING", str(world.places.keyring))
    world.released()
    return world


def test_records_are_shown(call, world):
    lines = call("ledger", "show")[1].splitlines()
    assert len(lines) == 6
    assert "people@1 provenance" in lines[1]
    assert [entry["number"] for entry in json.loads(call("ledger", "show", "--json")[1])] == list(range(6))


def test_a_printed_proof_can_be_checked_by_anybody(call, world):
    proof = json.loads(call("ledger", "prove", "4")[1])
    steps = [bytes.fromhex(step) for step in proof["proof"]]
    leaf, root = bytes.fromhex(proof["leaf"]), bytes.fromhex(proof["root"])
    assert includes(leaf, 4, proof["size"], steps, root)
    assert call("ledger", "prove", "6")[0] == 2


def test_a_checkpoint_is_kept_and_proved_later(call, world):
    call("key", "new", "clerk")
    assert call("ledger", "checkpoint", "seen.json", "--key", "file:clerk.key")[0] == 0
    world.data(rows(seed=2))
    code, out, _ = call("verify", "--checkpoint", "seen.json")
    assert (code, "begins with the 6 records of the checkpoint" in out) == (0, True)


def test_what_nothing_needs_is_given_up(call, world):
    world.data(rows(seed=2))
    assert call("store", "retire", "people@1")[0] == 2
    assert call("store", "retire", "people@2", "--reason", "wrong")[0] == 0
    assert "deleted" in call("store", "sweep")[1]
    assert call("verify")[0] == 0
