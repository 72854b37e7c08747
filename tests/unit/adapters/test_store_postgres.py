"""Records in PostgreSQL, on a real server: the same promises as in SQLite."""

from __future__ import annotations

import threading

import pytest

from gambeson.adapters.store_postgres import PostgresRecords
from gambeson.core.errors import IntegrityError, Unavailable
from gambeson.supply.ledger import Ledger
from tests.postgres_server import find_postgres, running_server

pytest.importorskip("psycopg")
needs_server = pytest.mark.skipif(find_postgres() is None, reason="PostgreSQL is not installed")


@pytest.fixture(scope="module")
def server():
    with running_server() as url:
        yield url


@pytest.fixture
def records(server):
    import psycopg

    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute("DROP TABLE IF EXISTS gambeson_records")
    return PostgresRecords(server)


@needs_server
def test_records_come_back_in_order_and_a_number_is_given_once(records):
    assert records.read(0) == []
    assert all(records.append(n, b"r\x00%d" % n, str(n)) for n in range(3))
    assert not records.append(1, b"other", "x")
    assert records.read(1) == [(b"r\x001", "1"), (b"r\x002", "2")]


@needs_server
@pytest.mark.parametrize("order", ["UPDATE {} SET digest = ''", "DELETE FROM {}", "TRUNCATE {}"])
def test_the_database_itself_forbids_changes(records, order):
    import psycopg

    records.append(0, b"first", "a")
    with psycopg.connect(records.url) as connection, pytest.raises(psycopg.Error, match="append-only"):
        connection.execute(order.format("gambeson_records"))


@needs_server
def test_a_gap_is_found(records):
    records.append(0, b"first", "a")
    records.append(2, b"third", "c")
    with pytest.raises(IntegrityError, match="missing"):
        records.read(0)


@needs_server
def test_two_writers_at_once_lose_nothing(records):
    def write(name):
        ledger = Ledger(PostgresRecords(records.url))
        for i in range(10):
            ledger.append(name, "fact", lambda i=i: {"i": i})

    writers = [threading.Thread(target=write, args=(name,)) for name in "ab"]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    found = [(entry.by, entry.body["i"]) for entry in Ledger(records).entries()]
    assert sorted(found) == [(name, i) for name in "ab" for i in range(10)]


def test_a_server_that_is_not_there_is_said(tmp_path):
    with pytest.raises(Unavailable, match="cannot be used"):
        PostgresRecords(f"postgresql://x@/y?host={tmp_path}").read(0)
