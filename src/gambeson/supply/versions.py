"""The registry: immutable versions of datasets and models, and the aliases that move between them.

It has no table of its own: what it knows is read from the ledger, so the two cannot disagree.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from gambeson.core.errors import IntegrityError, Refused, UsageError
from gambeson.supply.ledger import Entry, Ledger
from gambeson.supply.lineage import Lineage, read_lineage
from gambeson.supply.statements import Subject
from gambeson.supply.tree import Tree

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


class Kind(StrEnum):
    """What is versioned."""

    DATASET = "dataset"
    MODEL = "model"


@dataclass(frozen=True, slots=True)
class Version:
    """One immutable version.

    Attributes:
        kind, name, number: Which; numbers count from 1.
        tree: Name of its tree in the store.
        digest: ``(algorithm, hex)`` of its content.
        size: Bytes.
        files: How many.
        content: How an audit names it, ``sha256:<hex>``; empty where nobody opened it as data.
        lineage: Where it came from.
        entry: The record that added it.
    """

    kind: Kind
    name: str
    number: int
    tree: str
    digest: tuple[str, str]
    size: int
    files: int
    content: str
    lineage: Lineage
    entry: Entry

    @property
    def ref(self) -> str:
        """``name@number``."""
        return f"{self.name}@{self.number}"

    @property
    def summary(self) -> str:
        """Number of files and bytes, in words."""
        return f"{self.files:,} file{'s' if self.files != 1 else ''}, {self.size:,} bytes"

    @property
    def subject(self) -> Subject:
        """What a statement about it is about."""
        return Subject(self.ref, (self.digest,))


@dataclass(frozen=True, slots=True)
class Attached:
    """A signed document about a version: ``type`` is signature, provenance, audit, approval or override."""

    type: str
    document: str
    entry: Entry


@dataclass(frozen=True, slots=True)
class Move:
    """An alias was pointed at a version; ``document`` is the signed override, if there was one."""

    alias: str
    number: int
    reason: str
    document: str
    entry: Entry


@dataclass(slots=True)
class _State:
    """What the records read so far add up to."""

    read: int = 0
    versions: dict[str, list[Version]] = field(default_factory=dict)
    attached: dict[str, list[Attached]] = field(default_factory=dict)
    moves: dict[str, list[Move]] = field(default_factory=dict)
    retired: set[str] = field(default_factory=set)


class Registry:
    """Versions and aliases over a ledger.

    Args:
        ledger: Where every change is recorded.
        by: Who changes things.
    """

    def __init__(self, ledger: Ledger, by: str) -> None:
        self.ledger = ledger
        self.by = by
        self._known = _State()

    def add(
        self, kind: Kind, name: str, tree: tuple[str, Tree], lineage: Lineage, content: str = ""
    ) -> Version:
        """Record a new version; its content is in the store already.

        Raises:
            UsageError: The name is no name, or belongs to the other kind; an input does not exist.
            Refused, IntegrityError, Unavailable: As the ledger says.
        """
        check_name(name)

        def decide() -> Mapping[str, Any]:
            before = self._state.versions.get(name, [])
            _require_kind(name, before, kind)
            for ref in lineage.inputs:
                self.version(ref)
            return {
                "of": kind.value,
                "name": name,
                "number": len(before) + 1,
                "tree": tree[0],
                "digest": list(tree[1].digest),
                "size": tree[1].size,
                "files": len(tree[1].files),
                "content": content,
                "lineage": lineage.to_json(),
            }

        entry = self.ledger.append(self.by, "version", decide)
        return self.version(f"{name}@{entry.body['number']}")

    def require_kind(self, name: str, kind: Kind) -> None:
        """Refuse a name that belongs to the other kind, before anything is computed for it.

        Raises:
            UsageError: It does.
        """
        _require_kind(name, self.versions(name), kind)

    def attach(self, version: Version, kind: str, document: str) -> Attached:
        """Record that a document in the store speaks of a version."""
        body = {"name": version.name, "number": version.number, "type": kind, "document": document}
        return Attached(kind, document, self.ledger.append(self.by, "attestation", lambda: body))

    def move(self, version: Version, alias: str, *, reason: str, document: str = "") -> Move:
        """Point an alias at a version.

        Raises:
            UsageError: The alias is no name, or a number.
            Refused: The version was retired meanwhile.
        """
        check_name(alias)
        if alias.isdigit():
            raise UsageError(f"{alias!r} would read as a version.", expected="an alias such as production")

        def decide() -> Mapping[str, Any]:
            if self.is_retired(version):
                raise Refused(f"{version.ref} was retired.", remedy="choose another version")
            name = {"name": version.name, "number": version.number, "alias": alias}
            return name | {"reason": reason, "document": document}

        self.ledger.append(self.by, "alias", decide)
        return self.moves(version.name, alias)[-1]

    def retire(self, version: Version, reason: str) -> None:
        """Give up the content of a version; its record stays.

        Raises:
            Refused: An alias points at it, or a version that is still kept was made from it.
        """

        def decide() -> Mapping[str, Any]:
            users = self.users(version)
            if users:
                raise Refused(
                    f"{version.ref} is still needed by {', '.join(users)}.",
                    remedy="move or retire those first",
                )
            return {"name": version.name, "number": version.number, "reason": reason}

        self.ledger.append(self.by, "retired", decide)

    def version(self, ref: str) -> Version:
        """The version of ``name@number``, ``name@alias`` or ``name``, which is the newest.

        Raises:
            UsageError: There is none.
        """
        name, _, which = ref.partition("@")
        known = self.versions(name)
        if not known:
            names = ", ".join(sorted(self._state.versions)) or "nothing is there yet"
            raise UsageError(f"There is no dataset or model {name!r}.", expected=names)
        if not which:
            return known[-1]
        if which.isdecimal() and 1 <= int(which) <= len(known):
            return known[int(which) - 1]
        moves = self.moves(name, which)
        if not moves:
            raise UsageError(
                f"{name} has no version or alias {which!r}.",
                expected=", ".join([f"1 to {len(known)}", *self.aliases(name)]),
            )
        return known[moves[-1].number - 1]

    def versions(self, name: str) -> list[Version]:
        """All versions of a name, from the first on."""
        return self._state.versions.get(name, [])

    def all(self) -> list[Version]:
        """Every version of everything."""
        return [version for versions in self._state.versions.values() for version in versions]

    def attached(self, version: Version) -> list[Attached]:
        """The documents about a version, from the first on."""
        return self._state.attached.get(version.ref, [])

    def moves(self, name: str, alias: str) -> list[Move]:
        """Where an alias has pointed, from the first on."""
        return [move for move in self._state.moves.get(name, []) if move.alias == alias]

    def aliases(self, name: str) -> dict[str, int]:
        """Where each alias points now."""
        return {move.alias: move.number for move in self._state.moves.get(name, [])}

    def is_retired(self, version: Version) -> bool:
        """Whether its content was given up."""
        return version.ref in self._state.retired

    def users(self, version: Version) -> list[str]:
        """What keeps a version: aliases, and kept versions that were made from it."""
        aliases = [
            f"{version.name}@{a}" for a, n in self.aliases(version.name).items() if n == version.number
        ]
        made = [v.ref for v in self.all() if version.ref in v.lineage.inputs and not self.is_retired(v)]
        return aliases + made

    @property
    def _state(self) -> _State:
        """The state after every record that there is now."""
        entries = self.ledger.entries()
        for entry in entries[self._known.read :]:
            _apply(self._known, entry)
            self._known.read += 1
        return self._known


def _require_kind(name: str, before: Sequence[Version], kind: Kind) -> None:
    if before and before[0].kind is not kind:
        raise UsageError(f"{name!r} is a {before[0].kind}.", expected=f"another name for a {kind}")


def check_name(name: str) -> None:
    """Refuse what is no name.

    Raises:
        UsageError: It is empty, too long, or has other characters than letters, digits, ``.``, ``_`` and ``-``.
    """
    if not _NAME.fullmatch(name):
        raise UsageError(
            f"{name!r} is no name.", expected="1 to 64 of A-Z a-z 0-9 . _ -, first a letter or digit"
        )


def _apply(state: _State, entry: Entry) -> None:
    body = entry.body
    try:
        match entry.kind:
            case "version":
                state.versions.setdefault(body["name"], []).append(_version(entry, body))
            case "attestation":
                ref = f"{body['name']}@{body['number']}"
                state.attached.setdefault(ref, []).append(Attached(body["type"], body["document"], entry))
            case "alias":
                move = Move(body["alias"], body["number"], body["reason"], body["document"], entry)
                state.moves.setdefault(body["name"], []).append(move)
            case "retired":
                state.retired.add(f"{body['name']}@{body['number']}")
    except (KeyError, TypeError, ValueError, IndexError):
        raise IntegrityError(f"Record {entry.number} of the ledger cannot be read.") from None


def _version(entry: Entry, body: Mapping[str, Any]) -> Version:
    algorithm, value = body["digest"]
    return Version(
        Kind(body["of"]),
        body["name"],
        body["number"],
        body["tree"],
        (algorithm, value),
        body["size"],
        body["files"],
        body["content"],
        read_lineage(body["lineage"]),
        entry,
    )
