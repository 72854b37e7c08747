"""Records in SQLite: appended once, never changed, there after a crash."""

from __future__ import annotations

import sqlite3
import threading
from pathlib import Path

import pytest

from gambeson.adapters.store_sqlite import SqliteRecords
from gambeson.core.errors import GambesonError, IntegrityError, Unavailable


@pytest.fixture
def records(tmp_path):
    return SqliteRecords(tmp_path / "ledger.db")


def test_records_come_back_in_order(records):
    assert records.read(0) == []
    assert all(records.append(n, b"r%d" % n, str(n)) for n in range(3))
    assert records.read(1) == [(b"r1", "1"), (b"r2", "2")]


def test_a_number_is_given_once(records):
    assert records.append(0, b"first", "a")
    assert not records.append(0, b"second", "b")
    assert records.read(0) == [(b"first", "a")]


@pytest.mark.parametrize("order", ["UPDATE records SET record = x'00'", "DELETE FROM records"])
def test_the_database_itself_forbids_changes(records, order):
    records.append(0, b"first", "a")
    with (
        pytest.raises(sqlite3.IntegrityError, match="append-only"),
        sqlite3.connect(records.path) as connection,
    ):
        connection.execute(order)


def test_a_gap_is_found(records):
    records.append(0, b"first", "a")
    records.append(2, b"third", "c")
    with pytest.raises(IntegrityError, match="missing"):
        records.read(0)


def test_a_damaged_file_is_refused(records):
    records.append(0, b"first", "a")
    content = bytearray(records.path.read_bytes())
    content[:16] = b"no database here"
    records.path.write_bytes(content)
    with pytest.raises(IntegrityError, match="damaged"):
        records.read(0)


def test_a_place_that_cannot_be_written_is_refused():
    with pytest.raises(Unavailable, match="cannot be used"):
        SqliteRecords(Path("/proc/nowhere/ledger.db")).append(0, b"", "")


def test_a_full_disk_is_refused_and_nothing_is_lost(records):
    records.append(0, b"first", "a")
    real = sqlite3.connect

    class Full(sqlite3.Connection):
        def execute(self, *words):
            if words[0].startswith("BEGIN"):
                super().execute("PRAGMA max_page_count=1")
            return super().execute(*words)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sqlite3, "connect", lambda *a, **k: real(*a, factory=Full, **k))
        with pytest.raises(Unavailable, match="full"):
            records.append(1, b"x" * 100_000, "b")
    assert records.read(0) == [(b"first", "a")]


def test_two_writers_at_once_lose_nothing(records):
    records.append(0, b"start", "")

    def write(name):
        mine = SqliteRecords(records.path)
        for i in range(20):
            while not mine.append(len(mine.read(0)), b"%s%d" % (name, i), ""):
                pass

    writers = [threading.Thread(target=write, args=(name,)) for name in (b"a", b"b")]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    found = [record for record, _ in records.read(1)]
    assert sorted(found) == sorted(b"%s%d" % (name, i) for name in (b"a", b"b") for i in range(20))


def test_a_flipped_byte_of_the_file_hides_or_changes_no_record_unnoticed(records):
    ledger = [(b"first", "a"), (b"second", "b")]
    for number, row in enumerate(ledger):
        records.append(number, *row)
    content = records.path.read_bytes()
    used = [place for place in range(len(content)) if content[place] or place % 512 == 0]
    for place in used:
        records.path.write_bytes(content[:place] + bytes([content[place] ^ 0x01]) + content[place + 1 :])
        try:
            found = records.read(0)
        except GambesonError:
            continue
        assert [len(record) for record, _ in found] == [5, 6], place  # their content is the ledger's to check
