"""Numbered records in a SQLite file, which itself forbids that one is changed or deleted."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator
from pathlib import Path

from gambeson.core.errors import GambesonError, IntegrityError, Unavailable

_SCHEMA = """
BEGIN IMMEDIATE;
CREATE TABLE IF NOT EXISTS records (number INTEGER PRIMARY KEY, record BLOB NOT NULL, digest TEXT NOT NULL) STRICT;
CREATE TRIGGER IF NOT EXISTS no_update BEFORE UPDATE ON records BEGIN SELECT RAISE(ABORT, 'append-only'); END;
CREATE TRIGGER IF NOT EXISTS no_delete BEFORE DELETE ON records BEGIN SELECT RAISE(ABORT, 'append-only'); END;
COMMIT;
"""
_WAIT = 60.0
"""Seconds to wait for another writer."""


class SqliteRecords:
    """Records in one file; a missing file is an empty table, made when first written to.

    A rollback journal with full synchronisation: a commit that was acknowledged survives a power cut, and a store on
    a read-only path can still be read.

    Args:
        path: The file.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def append(self, number: int, record: bytes, digest: str) -> bool:
        """Add a record; false if the number is taken.

        Raises:
            Unavailable: The file cannot be written to, the disk is full, or others hold it for too long.
            IntegrityError: The file is damaged.
        """
        with self._connected() as connection:
            connection.executescript("PRAGMA synchronous=EXTRA;")
            if not self._has_table(connection):
                connection.executescript(_SCHEMA)
            try:
                with connection:
                    connection.execute("BEGIN IMMEDIATE")
                    connection.execute("INSERT INTO records VALUES (?, ?, ?)", (number, record, digest))
            except sqlite3.IntegrityError:
                return False
        return True

    def read(self, start: int) -> list[tuple[bytes, str]]:
        """Records from a number on.

        Raises:
            IntegrityError: The file is damaged, or a record is missing.
            Unavailable: It cannot be read.
        """
        if not self.path.exists() or not self.path.stat().st_size:
            return []
        with self._connected() as connection:
            if not self._has_table(connection) or (start == 0 and not _is_sound(connection)):
                raise IntegrityError(
                    f"The ledger {self.path} is damaged.", remedy="restore the file from a copy"
                )
            query = "SELECT number, record, digest FROM records WHERE number >= ? ORDER BY number"
            rows = connection.execute(query, (start,)).fetchall()
        if [row[0] for row in rows] != list(range(start, start + len(rows))):
            raise IntegrityError(
                f"A record is missing from {self.path}.", remedy="restore the file from a copy"
            )
        return [(bytes(record), str(digest)) for _, record, digest in rows]

    def _has_table(self, connection: sqlite3.Connection) -> bool:
        query = "SELECT count(*) FROM sqlite_master WHERE name IN ('records', 'no_update', 'no_delete')"
        return bool(connection.execute(query).fetchone() == (3,))

    @contextlib.contextmanager
    def _connected(self) -> Iterator[sqlite3.Connection]:
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with contextlib.closing(
                sqlite3.connect(self.path, timeout=_WAIT, isolation_level=None)
            ) as connection:
                yield connection
        except (sqlite3.Error, OSError, UnicodeError) as error:
            raise _explain(self.path, error) from None


def _is_sound(connection: sqlite3.Connection) -> bool:
    """Whether every page of the file is in order: a record that a damaged page hides would not be missed else."""
    return bool(connection.execute("PRAGMA integrity_check(1)").fetchone() == ("ok",))


def _explain(path: Path, error: Exception) -> GambesonError:
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    if isinstance(error, OSError) or code in (
        sqlite3.SQLITE_READONLY,
        sqlite3.SQLITE_FULL,
        sqlite3.SQLITE_CANTOPEN,
        sqlite3.SQLITE_BUSY,
        sqlite3.SQLITE_IOERR,
        sqlite3.SQLITE_PERM,
    ):
        return Unavailable(
            f"The ledger {path} cannot be used: {error}. What it held before is unchanged.",
            remedy="make room, or check that you may write there and that no other program holds it",
        )
    return IntegrityError(f"The ledger {path} is damaged: {error}.", remedy="restore the file from a copy")
