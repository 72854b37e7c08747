"""Opens what tracing works with: the store, the ledger and its registry, the keyring."""

from __future__ import annotations

import getpass
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from gambeson.adapters.objects_folder import FolderObjects
from gambeson.adapters.objects_remote import RemoteObjects
from gambeson.adapters.store_postgres import PostgresRecords
from gambeson.adapters.store_sqlite import SqliteRecords
from gambeson.core.errors import UsageError
from gambeson.core.ports import Objects, Records
from gambeson.supply.keyring import Keyring, read_keyring
from gambeson.supply.ledger import Ledger
from gambeson.supply.store import Store
from gambeson.supply.versions import Registry


def now() -> datetime:
    """The present moment, in UTC."""
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Places:
    """Where things are.

    Attributes:
        store: Folder of the content and the ledger.
        ledger: ``sqlite:PATH`` or ``postgresql://...``; the file ``ledger.db`` in the store where empty.
        keyring: File of the trusted keys.
        pieces: Object store for the content, ``s3://bucket/prefix``; the folder where empty.
    """

    store: Path = Path("gambeson-store")
    ledger: str = ""
    keyring: Path = Path("gambeson-keys.json")
    pieces: str = ""


@dataclass(frozen=True, slots=True)
class Workspace:
    """What a use-case of tracing works with."""

    places: Places
    store: Store
    registry: Registry
    clock: Callable[[], datetime]

    def keyring(self) -> Keyring:
        """The trusted keys.

        Raises:
            UsageError: There is no keyring.
            IntegrityError: It is damaged.
        """
        return read_keyring(self.places.keyring)


def open_workspace(places: Places, *, create: bool = False, clock: Callable[[], datetime] = now) -> Workspace:
    """Open a store and its ledger; nothing is read yet.

    Args:
        places: Where.
        create: Whether a missing store is made.
        clock: Tells the moment.

    Raises:
        UsageError: There is no store, or the ledger's URI is of an unknown kind.
    """
    if not create and not places.store.is_dir():
        raise UsageError(
            f"There is no store at {places.store}.",
            remedy="name it with --store, or begin one with gambeson data add",
        )
    registry = Registry(Ledger(_records(places), clock), user())
    return Workspace(places, Store(_objects(places)), registry, clock)


def user() -> str:
    """The name of whoever runs this, as the machine knows it; ``unknown`` where it has none."""
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):
        return "unknown"


def _objects(places: Places) -> Objects:
    return RemoteObjects(places.pieces) if places.pieces else FolderObjects(places.store)


def _records(places: Places) -> Records:
    uri = places.ledger
    if not uri:
        return SqliteRecords(places.store / "ledger.db")
    if uri.startswith("sqlite:"):
        return SqliteRecords(Path(uri.removeprefix("sqlite:")))
    if uri.startswith(("postgresql://", "postgres://")):
        return PostgresRecords(uri)
    raise UsageError(f"Unknown ledger {uri.partition(':')[0]!r}.", expected="sqlite:PATH or postgresql://...")
