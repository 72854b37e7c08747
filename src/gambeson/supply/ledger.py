"""The ledger: every fact once, in order, each record bound to the one before it and all to one Merkle root."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from gambeson.core.errors import IntegrityError, Refused, Unavailable
from gambeson.core.ports import Records
from gambeson.supply.canonical import decode, encode
from gambeson.supply.merkle import leaf_hash, root_hash

SKEW = timedelta(minutes=5)
"""How far clocks of two writers may differ."""
_FIELDS = {"number", "previous", "time", "by", "kind", "body"}
_ATTEMPTS = 1000


@dataclass(frozen=True, slots=True)
class Entry:
    """One record.

    Attributes:
        number: From 0.
        time: When it was written; never before the record before it.
        by: Who wrote it: a user's name, as the machine knows it.
        kind: What happened: ``"version"``, ``"alias"``, ``"attestation"``, ...
        body: The facts, JSON.
        digest: Its leaf hash, hex.
    """

    number: int
    time: datetime
    by: str
    kind: str
    body: Mapping[str, Any]
    digest: str


class Ledger:
    """Reads and appends records; each is checked against its chain before anything rests on it.

    Args:
        records: Where they are kept.
        clock: Tells the present moment, with time zone.
    """

    def __init__(self, records: Records, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._records = records
        self._clock = clock
        self._entries: list[Entry] = []

    def entries(self) -> list[Entry]:
        """Every record, those that others wrote meanwhile included.

        Raises:
            IntegrityError: A record was changed, removed or put in between.
        """
        for record, digest in self._records.read(len(self._entries)):
            self._entries.append(_check(record, digest, self._entries))
        return self._entries

    def append(self, by: str, kind: str, decide: Callable[[], Mapping[str, Any]]) -> Entry:
        """Add a record; it is on the disk when this returns.

        Args:
            by: Who.
            kind: What happened.
            decide: Gives the body from the ledger's present state, or raises; called again when another writer was
                faster.

        Raises:
            Refused: The clock stands before the last record.
            IntegrityError: The ledger was tampered with.
            Unavailable: It cannot be written to.
        """
        for _ in range(_ATTEMPTS):
            entries = self.entries()
            body = decide()
            number = len(entries)
            record = encode(
                {
                    "number": number,
                    "previous": entries[-1].digest if entries else "",
                    "time": self._now(entries).isoformat(),
                    "by": by,
                    "kind": kind,
                    "body": body,
                }
            )
            digest = leaf_hash(record).hex()
            if self._records.append(number, record, digest):
                self._entries.append(_check(record, digest, self._entries))
                return self._entries[-1]
        raise Unavailable("Other writers were always faster.", remedy="run the same command again")

    def root(self, size: int | None = None) -> str:
        """The Merkle root over the first ``size`` records, hex; over all by default."""
        return root_hash(self.leaves()[:size]).hex()

    def leaves(self) -> list[bytes]:
        """The leaf hashes, in order."""
        return [bytes.fromhex(entry.digest) for entry in self.entries()]

    def _now(self, entries: list[Entry]) -> datetime:
        now = self._clock().astimezone(UTC)
        if not entries or now >= entries[-1].time:
            return now
        behind = entries[-1].time - now
        if behind > SKEW:
            raise Refused(
                f"The clock says {now:%Y-%m-%d %H:%M:%S} UTC, {behind} before the last record of the ledger.",
                expected="a clock that never goes back",
                remedy="set the clock of this machine",
            )
        return entries[-1].time


def _check(record: bytes, digest: str, before: list[Entry]) -> Entry:
    number = len(before)
    if leaf_hash(record).hex() != digest:
        raise _tampered(number, "its content does not match its digest")
    fields = decode(record, "a record of the ledger")
    if not isinstance(fields, dict) or set(fields) != _FIELDS or not isinstance(fields["body"], dict):
        raise _tampered(number, "its fields are not those of a record")
    if fields["number"] != number or fields["previous"] != (before[-1].digest if before else ""):
        raise _tampered(number, "it does not follow the record before it")
    try:
        time = datetime.fromisoformat(fields["time"])
        early = bool(before) and time < before[-1].time
    except (TypeError, ValueError):
        raise _tampered(number, "its time cannot be read") from None
    if early:
        raise _tampered(number, "it is older than the record before it")
    return Entry(number, time, str(fields["by"]), str(fields["kind"]), fields["body"], digest)


def _tampered(number: int, reason: str) -> IntegrityError:
    return IntegrityError(
        f"Record {number} of the ledger was tampered with: {reason}.",
        remedy="restore the ledger from a copy, and find out who can write to it",
    )
