"""The policy gate: what must verify before a model may be promoted, each requirement with its reason."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from gambeson.core.errors import GambesonError, IntegrityError
from gambeson.supply.keyring import Keyring
from gambeson.supply.lineage import PROVENANCE, Source, provenance
from gambeson.supply.model_signature import verify_listed
from gambeson.supply.statements import Signed, verify_statement
from gambeson.supply.store import Store
from gambeson.supply.versions import Registry, Version

AUDIT = "urn:gambeson:audit:v1"
APPROVAL = "urn:gambeson:approval:v1"
REQUIREMENTS = ("content", "scan", "signature", "provenance", "audit")


@dataclass(frozen=True, slots=True)
class Requirement:
    """One thing that had to hold.

    Attributes:
        name: One of :data:`REQUIREMENTS`.
        subject: Of which version.
        holds: Whether it does.
        reason: Why not; or, where it holds, who vouches or what could not be looked at again.
    """

    name: str
    subject: str
    holds: bool
    reason: str


def changed_words(uri: str) -> str:
    """How a reason names a source that is no longer what was recorded."""
    return f"the source {uri} changed"


@dataclass(frozen=True, slots=True)
class Gatekeeper:
    """Decides on promotions.

    Attributes:
        store, registry: What there is.
        keyring: Whom to trust.
        at: The present moment.
        scan: Problems of a version's files, none if they are clean; raises where it cannot scan.
        closes: What in a signed audit closes the gate, none if nothing does; the audit's own gate does not decide.
        digest_of: Digest of a source that can be read here now, else ``None``.
    """

    store: Store
    registry: Registry
    keyring: Keyring
    at: datetime
    scan: Callable[[Version], list[str]]
    closes: Callable[[Mapping[str, Any]], list[str]]
    digest_of: Callable[[Source], tuple[str, str] | None]

    def judge(self, version: Version) -> list[Requirement]:
        """Every requirement for a model, then those for everything that it was made from."""
        found = [
            self._ask("content", version, self._content),
            self._ask("scan", version, self._clean),
            self._ask("signature", version, self._signature),
            self._ask("provenance", version, self._provenance),
            self._ask("audit", version, self._audit),
        ]
        for made_from in self._ancestors(version):
            found.append(self._ask("content", made_from, self._content))
            found.append(self._ask("scan", made_from, self._clean))
            found.append(self._ask("provenance", made_from, self._provenance))
        return found

    def _ask(self, name: str, version: Version, question: Callable[[Version], str]) -> Requirement:
        """Whatever goes wrong with an answer is a refusal with its reason."""
        try:
            return Requirement(name, version.ref, True, question(version))
        except GambesonError as error:
            return Requirement(name, version.ref, False, error.message)

    def _content(self, version: Version) -> str:
        if self.registry.is_retired(version):
            raise IntegrityError("its content was retired")
        tree = self.store.check(version.tree)
        if tree.digest != version.digest:
            raise IntegrityError("the stored content is not what was recorded")
        return f"{version.summary} as recorded"

    def _clean(self, version: Version) -> str:
        problems = self.scan(version)
        if problems:
            raise IntegrityError("; ".join(problems[:3]))
        return "nothing found"

    def _signature(self, version: Version) -> str:
        tree = self.store.tree(version.tree)
        files = [(file.name if len(tree.files) > 1 else ".", file.sha256) for file in tree.files]

        def check(document: bytes) -> str:
            signed = verify_listed(document, self.keyring.trusted(self.at), files)
            return f"signed by {self.keyring.name(signed.key)}"

        return self._one_of(version, "signature", check)

    def _provenance(self, version: Version) -> str:
        lineage = version.lineage
        inputs = [self.registry.version(ref).subject for ref in lineage.inputs]
        wanted = provenance(version.subject, lineage, inputs, version.entry.by)

        def check(document: bytes) -> str:
            signed = self._verified(document, PROVENANCE, version)
            if signed.statement != wanted:
                raise IntegrityError("the signed provenance differs from the recorded one")
            return f"signed by {self.keyring.name(signed.key)}{self._sources(version)}"

        return self._one_of(version, "provenance", check)

    def _sources(self, version: Version) -> str:
        """Looks at each source again, where it lies on this machine."""
        unseen, changed = [], []
        for source in version.lineage.sources:
            now = self.digest_of(source)
            if now is None:
                unseen.append(source.uri)
            elif now != source.digest:
                seen = f"{source.digest[1][:16]} was recorded, it is now {now[1][:16]}"
                changed.append(f"{changed_words(source.uri)}: {seen}")
        if changed:
            raise IntegrityError("; ".join(changed))
        return f"; not looked at again: {', '.join(unseen)}" if unseen else ""

    def _audit(self, version: Version) -> str:
        def check(document: bytes) -> str:
            signed = self._verified(document, AUDIT, version)
            reasons = self.closes(signed.statement.predicate)
            if reasons:
                more = f", and {len(reasons) - 3} more" if len(reasons) > 3 else ""
                raise IntegrityError(f"the audit closes the gate: {'; '.join(reasons[:3])}{more}")
            return f"gate open, signed by {self.keyring.name(signed.key)}"

        return self._one_of(version, "audit", check, newest_only=True)

    def _verified(self, document: bytes, kind: str, version: Version) -> Signed:
        signed = verify_statement(document, self.keyring, self.at)
        if signed.statement.kind != kind or version.subject not in signed.statement.subjects:
            raise IntegrityError(f"the statement is not about {version.ref}")
        return signed

    def _one_of(
        self, version: Version, kind: str, check: Callable[[bytes], str], *, newest_only: bool = False
    ) -> str:
        """The first document of a kind, newest first, that stands the check; else why the newest does not."""
        documents = [item.document for item in self.registry.attached(version) if item.type == kind]
        if not documents:
            raise IntegrityError(f"there is no {kind}")
        first: GambesonError | None = None
        for document in reversed(documents[-1:] if newest_only else documents):
            try:
                return check(self.store.document(document))
            except (KeyError, TypeError):
                first = first or IntegrityError(f"the {kind} cannot be read")
            except GambesonError as error:
                first = first or error
        raise first or IntegrityError(f"there is no {kind}")

    def _ancestors(self, version: Version) -> Iterator[Version]:
        """Every version that went into one, each once."""
        seen: set[str] = set()
        pending = list(version.lineage.inputs)
        while pending:
            ref = pending.pop(0)
            if ref not in seen:
                seen.add(ref)
                found = self.registry.version(ref)
                pending += found.lineage.inputs
                yield found
