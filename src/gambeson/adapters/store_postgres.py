"""Numbered records in a table of PostgreSQL, which itself forbids that one is changed or deleted."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

from gambeson.core.errors import IntegrityError, Unavailable, missing_extra

_SCHEMA = """
CREATE TABLE IF NOT EXISTS gambeson_records (
    number bigint PRIMARY KEY CHECK (number >= 0), record bytea NOT NULL, digest text NOT NULL);
CREATE OR REPLACE FUNCTION gambeson_append_only() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN RAISE EXCEPTION 'append-only'; END $$;
CREATE OR REPLACE TRIGGER gambeson_no_change BEFORE UPDATE OR DELETE OR TRUNCATE ON gambeson_records
    EXECUTE FUNCTION gambeson_append_only();
"""
_LOCK = 0x67616D62
"""Held while the table is made, so that two first writers do not trip over each other."""


class PostgresRecords:
    """Records in the table ``gambeson_records`` of a database.

    Every commit waits for the disk (``synchronous_commit = on``), whatever the server's default is.

    Args:
        url: ``postgresql://user@host:port/database``; the password may come from ``PGPASSWORD`` or ``.pgpass``.
    """

    def __init__(self, url: str) -> None:
        self.url = url

    def append(self, number: int, record: bytes, digest: str) -> bool:
        """Add a record; false if the number is taken.

        Raises:
            Unavailable: The server cannot be reached, its disk is full, or the package is missing.
        """
        with self._connected() as connection, connection.transaction():
            connection.execute("SET LOCAL synchronous_commit = on")
            self._make_table(connection)
            added = connection.execute(
                "INSERT INTO gambeson_records VALUES (%s, %s, %s) ON CONFLICT (number) DO NOTHING",
                (number, record, digest),
            )
            return bool(added.rowcount == 1)

    def read(self, start: int) -> list[tuple[bytes, str]]:
        """Records from a number on.

        Raises:
            IntegrityError: A record is missing.
            Unavailable: The server cannot be reached.
        """
        with self._connected() as connection:
            if not _has_table(connection):
                return []
            rows = connection.execute(
                "SELECT number, record, digest FROM gambeson_records WHERE number >= %s ORDER BY number",
                (start,),
            ).fetchall()
        if [row[0] for row in rows] != list(range(start, start + len(rows))):
            raise IntegrityError(
                "A record is missing from the ledger.", remedy="restore the table from a copy"
            )
        return [(bytes(record), str(digest)) for _, record, digest in rows]

    def _make_table(self, connection: Any) -> None:
        if not _has_table(connection):
            connection.execute("SELECT pg_advisory_xact_lock(%s)", (_LOCK,))
            connection.execute(_SCHEMA)

    @contextlib.contextmanager
    def _connected(self) -> Iterator[Any]:
        try:
            import psycopg
        except ModuleNotFoundError:
            raise missing_extra("psycopg", "postgres") from None
        try:
            with psycopg.connect(self.url, connect_timeout=10) as connection:
                yield connection
        except psycopg.Error as error:
            said = " ".join(str(error).split())[:200]
            raise Unavailable(
                f"The ledger's database cannot be used: {said}. What it held before is unchanged.",
                remedy="check that the server runs, has room, and lets this user in",
            ) from None


def _has_table(connection: Any) -> bool:
    return bool(connection.execute("SELECT to_regclass('gambeson_records') IS NOT NULL").fetchone()[0])
