"""Everything is checked again, and every change is found."""

from __future__ import annotations

import sqlite3

import pytest

from gambeson.core.errors import IntegrityError, Refused, UsageError
from gambeson.service.verifying import check_checkpoint, make_checkpoint, verify_file, verify_store
from gambeson.supply.ledger import Ledger
from gambeson.supply.model_signature import sign_model
from tests.memory_store import MemoryRecords
from tests.trace_world import TraceWorld, rows
from tests.trust import NOW, flips, new_key


@pytest.fixture
def world(tmp_path):
    world = TraceWorld(tmp_path)
    world.released()
    return world


def test_a_whole_store_verifies(world):
    found = verify_store(world.space)
    assert (found.records, found.versions, found.documents, found.problems) == (6, 2, 5, ())
    assert found.root == world.space.registry.ledger.root()


def test_a_flipped_byte_of_any_piece_is_found(world):
    objects = world.space.store.objects
    for name in list(objects.names()):
        path = objects._path(name)
        content = path.read_bytes()
        path.chmod(0o644)
        for place in {0, len(content) // 2, len(content) - 1}:
            path.write_bytes(content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :])
            assert verify_store(world.space).problems, name
        path.unlink()
        assert verify_store(world.space).problems, name
        path.write_bytes(content)
    assert verify_store(world.space).problems == ()


def test_a_flipped_byte_of_any_record_in_the_file_is_found(world):
    path = world.places.store / "ledger.db"
    with sqlite3.connect(path) as connection:
        stored = connection.execute("SELECT record, digest FROM records").fetchall()
    content = path.read_bytes()
    for record, digest in stored:
        for text in (bytes(record), digest.encode()):
            start = content.find(text[:40])
            for place in range(start, start + len(text), 53):
                path.write_bytes(content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :])
                with pytest.raises(IntegrityError):
                    verify_store(world.reopened())
    path.write_bytes(content)
    assert verify_store(world.reopened()).problems == ()


def test_a_key_that_was_revoked_or_never_trusted_is_found(world):
    keyring = world.space.keyring()
    world.places.keyring.write_bytes(keyring.revoking("release", NOW).to_json())
    assert len(verify_store(world.space).problems) == 4
    world.places.keyring.unlink()
    found = verify_store(world.space)
    assert found.problems == ()
    assert "not judged" in found.notes[0]


def test_a_checkpoint_shows_that_records_were_only_added(world):
    seen = make_checkpoint(world.space, world.key)
    world.data(rows(seed=3))
    size, proof = check_checkpoint(world.space, seen, NOW)
    assert (size, len(proof) > 0) == (6, True)


def test_a_cut_or_rewritten_ledger_is_found_by_its_checkpoint(world):
    seen = make_checkpoint(world.space, world.key)
    records = MemoryRecords()
    registry = world.space.registry
    registry.ledger = Ledger(records, lambda: NOW)
    for _ in range(3):
        registry.ledger.append("eve", "note", dict)
    with pytest.raises(IntegrityError, match="was cut"):
        check_checkpoint(world.space, seen, NOW)
    for _ in range(5):
        registry.ledger.append("eve", "note", dict)
    with pytest.raises(IntegrityError, match="rewritten"):
        check_checkpoint(world.space, seen, NOW)


def test_every_flipped_byte_of_a_checkpoint_is_refused(world):
    for wrong in flips(make_checkpoint(world.space, world.key)):
        with pytest.raises((IntegrityError, Refused)):
            check_checkpoint(world.space, wrong, NOW)


def test_a_file_is_checked_against_its_signature(world):
    path, sig = world.root / "churn.json", world.root / "churn.json.sig"
    sig.write_bytes(sign_model(path, world.key, sig))
    assert verify_file(path, sig, [new_key("other").public, world.key.public]).key == world.key.public.id
    with pytest.raises(UsageError, match="cannot be read"):
        verify_file(path, world.root / "none.sig", [world.key.public])
