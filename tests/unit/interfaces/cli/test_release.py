"""Signing, verifying, promoting and rolling back from the command line."""

from __future__ import annotations

import json

import pytest

from gambeson.service import promoting
from gambeson.service.tracing import now
from tests.trace_world import TraceWorld


@pytest.fixture
def world(place, monkeypatch):
    monkeypatch.setattr(promoting, "scan_version", lambda *_: [])
    world = TraceWorld(place, now)
    monkeypatch.setenv("GAMBESON_STORE", str(world.places.store))
    monkeypatch.setenv("GAMBESON_KEYRING", str(world.places.keyring))
    return world


def test_a_file_is_signed_and_verified_and_a_changed_one_is_not(call, place):
    call("key", "new", "release")
    assert call("sign", "model.py", "--key", "file:release.key")[0] == 0
    assert call("verify", "model.py")[0] == 0
    assert (
        json.loads(call("verify", "model.py", "--key", "file:release.pub", "--json")[1])["verified"] is True
    )
    (place / "model.py").write_text("other")
    code, out, _ = call("verify", "model.py")
    assert (code, "was changed after it was signed" in out) == (1, True)
    assert call("sign", "nowhere", "--key", "file:release.key")[0] == 2


def test_a_release_is_promoted_verified_and_rolled_back(call, world):
    world.released()
    code, out, _ = call("promote", "churn@1")
    assert (code, "churn@production is version 1" in out) == (0, True)
    assert call("verify")[0] == 0
    world.audit(world.model('{"learner": 2}'))
    assert call("promote", "churn@2")[0] == 0
    assert "is version 1 again" in call("rollback", "churn")[1]
    assert call("rollback", "churn")[0] == 2


def test_a_refusal_is_exit_1_with_each_reason(call, world):
    world.released()
    world.write("raw.csv", "tampered")
    code, out, _ = call("promote", "churn@1", "--json")
    shown = json.loads(out)
    assert (code, shown["promoted"]) == (1, False)
    assert [r["name"] for r in shown["requirements"] if not r["holds"]] == ["provenance"]
    assert call("promote", "churn@1", "--dry-run")[0] == 1
    code, out, _ = call("promote", "churn@1")
    assert "REFUSED  provenance of people@1: the source" in out


def test_a_damaged_store_is_exit_1(call, world):
    version = world.data()
    store = world.space.store
    path = store.objects._path(store.tree(version.tree).pieces[0].name)
    path.chmod(0o644)
    path.write_bytes(b"other")
    code, out, _ = call("verify")
    assert (code, "FAILED  content of people@1" in out) == (1, True)
    assert json.loads(call("verify", "--json")[1])["problems"]


def test_a_version_in_the_store_is_signed(call, world):
    world.data(signed=False)
    call("key", "new", "other")
    assert call("sign", "people@1", "--key", "file:other.key", "--keyring", "empty.json")[0] == 2
    code, out, _ = call("sign", "people@1", "--key", "file:other.key")
    assert (code, "signed provenance" in out) == (0, True)


def test_a_lineage_is_drawn(call, world):
    world.released()
    code, out, _ = call("lineage", "churn@1", "--out", "page.html")
    assert (code, "the policy gate is open" in out) == (0, True)
    assert "<svg" in (world.root / "page.html").read_text()
    assert json.loads(call("lineage", "churn@1", "--json")[1])["title"] == "churn@1"


def test_a_known_key_that_is_trusted_no_longer_is_named(call, place):
    call("key", "new", "ann")
    call("sign", "model.py", "--key", "file:ann.key")
    call("key", "revoke", "ann")
    code, out, _ = call("verify", "model.py")
    assert (code, "The key 'ann' was revoked" in out, "sign again" in out) == (1, True, True)
    call("key", "new", "bob")
    call("sign", "model.py", "--key", "file:bob.key")
    assert "signed by another key" in call("verify", "model.py", "--key", "file:ann.pub")[1]
