"""A registry in memory with a dataset, a model made from it, and all that a promotion needs."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from gambeson.supply.files import list_files
from gambeson.supply.keyring import Keyring
from gambeson.supply.ledger import Ledger
from gambeson.supply.lineage import Lineage, Source, provenance
from gambeson.supply.model_signature import sign_listed
from gambeson.supply.policy import AUDIT, Gatekeeper
from gambeson.supply.statements import Statement, sign_statement
from gambeson.supply.store import Store
from gambeson.supply.versions import Kind, Registry, Version
from tests.memory_store import MemoryObjects, MemoryRecords
from tests.trust import NOW, new_key, ring, write_tree

SOURCE = Source("raw.csv", ("sha256", "ab" * 32), "CC-BY-4.0", "UCI", "2026-01-01")


@dataclass
class World:
    """Everything, with the answers that a test may change."""

    root: Path
    objects: MemoryObjects = field(default_factory=MemoryObjects)
    records: MemoryRecords = field(default_factory=MemoryRecords)
    keyring: Keyring = field(default_factory=lambda: ring(new_key()))
    problems: list[str] = field(default_factory=list)
    source: tuple[str, str] | None = SOURCE.digest
    at: datetime = NOW

    def __post_init__(self) -> None:
        self.store = Store(self.objects)
        self.registry = Registry(Ledger(self.records, lambda: NOW), "ann")

    def add(self, kind: str, name: str, content: bytes, lineage: Lineage = Lineage()) -> Version:  # noqa: B008
        """A version of one file."""
        folder = write_tree(self.root / name, {f"{name}.bin": content})
        return self.registry.add(Kind(kind), name, self.store.add_tree(list_files(folder)), lineage)

    def attach(self, version: Version, kind: str, document: bytes) -> None:
        self.registry.attach(version, kind, self.store.add_document(document))

    def sign(self, version: Version, key: str = "release") -> None:
        (file,) = self.store.tree(version.tree).files
        self.attach(version, "signature", sign_listed(version.ref, [(".", file.sha256)], new_key(key)))

    def vouch(self, version: Version, key: str = "release") -> None:
        inputs = [self.registry.version(ref).subject for ref in version.lineage.inputs]
        statement = provenance(version.subject, version.lineage, inputs, "ann")
        self.attach(version, "provenance", sign_statement(statement, new_key(key)))

    def audit(self, version: Version, *closes: str, key: str = "release") -> None:
        predicate = {"closes": list(closes)}
        self.attach(
            version, "audit", sign_statement(Statement((version.subject,), AUDIT, predicate), new_key(key))
        )

    def released(self) -> Version:
        """A model that may be promoted."""
        data = self.add("dataset", "people", b"rows", Lineage(sources=(SOURCE,)))
        self.vouch(data)
        model = self.add(
            "model", "churn", b"weights", Lineage(inputs=("people@1",), parameters=(("seed", "0"),))
        )
        self.sign(model)
        self.vouch(model)
        self.audit(model)
        return model

    def gatekeeper(self) -> Gatekeeper:
        return Gatekeeper(
            self.store,
            self.registry,
            self.keyring,
            self.at,
            lambda _: self.problems,
            lambda predicate: list(predicate["closes"]),
            lambda _: self.source,
        )

    def refusals(self, version: Version) -> dict[str, str]:
        """What does not hold, as ``name of subject`` to reason."""
        return {f"{r.name} of {r.subject}": r.reason for r in self.gatekeeper().judge(version) if not r.holds}
