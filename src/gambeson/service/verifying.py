"""Checks everything again: the ledger's chain, every piece that a record needs, every signature."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from gambeson.core.errors import GambesonError, IntegrityError, UsageError
from gambeson.service.attesting import audits_of, require_trusted
from gambeson.service.tracing import Workspace
from gambeson.supply.keyring import Keyring
from gambeson.supply.keys import PrivateKey, PublicKey
from gambeson.supply.merkle import extends, prove_consistency
from gambeson.supply.model_signature import SignedModel, verify_listed, verify_model
from gambeson.supply.statements import Statement, Subject, sign_statement, verify_statement
from gambeson.supply.versions import Attached, Version

CHECKPOINT = "urn:gambeson:checkpoint:v1"


@dataclass(frozen=True, slots=True)
class Verified:
    """What was looked at and what is wrong.

    Attributes:
        records, versions, documents: How many were checked.
        root: Merkle root over the records, hex.
        problems: One line for each thing that does not verify.
        notes: What could not be judged.
    """

    records: int
    versions: int
    documents: int
    root: str
    problems: tuple[str, ...]
    notes: tuple[str, ...] = ()


def verify_store(workspace: Workspace) -> Verified:
    """Check the whole store.

    A signature is judged at the moment its record was written: a key that expired since was good then, one that was
    revoked never counts. Without a keyring signatures are not judged, and that is said.
    """
    registry, store = workspace.registry, workspace.store
    entries = registry.ledger.entries()
    versions = registry.all()
    keyring, notes = _keyring(workspace)
    problems: list[str] = []
    documents = 0
    for version in versions:
        if not registry.is_retired(version):
            problems += _asked(f"content of {version.ref}", lambda v=version: _check_content(workspace, v))
        for item in registry.attached(version):
            documents += 1
            words = f"{item.type} of {version.ref}"
            problems += _asked(words, lambda v=version, i=item: _check_document(workspace, v, i, keyring))
        for audit in audits_of(workspace, version):
            documents += 1
            problems += _asked(f"report of {version.ref}", lambda a=audit: store.document(a.report))
        for alias in registry.aliases(version.name):
            for move in registry.moves(version.name, alias):
                if move.document and move.number == version.number:
                    problems += _asked(
                        f"approval of {version.ref}", lambda m=move: store.document(m.document)
                    )
    return Verified(
        len(entries), len(versions), documents, registry.ledger.root(), tuple(dict.fromkeys(problems)), notes
    )


def verify_file(path: Path, signature: Path, keys: list[PublicKey]) -> SignedModel:
    """Check a model on this machine against its signature file.

    Raises:
        UsageError: A file cannot be read.
        IntegrityError, Refused, Unavailable: As ``verify_model`` says.
    """
    try:
        bundle = signature.read_bytes()
    except OSError as error:
        raise UsageError(
            f"The signature {signature} cannot be read: {error.strerror}.", remedy="name it with --signature"
        ) from None
    return verify_model(path, bundle, keys, signature)


def make_checkpoint(workspace: Workspace, key: PrivateKey) -> bytes:
    """The ledger's size and root, signed: kept elsewhere, it shows later whether anything was rewritten.

    Raises:
        UsageError: The ledger is empty.
        Refused: The key is not trusted.
    """
    require_trusted(workspace, key)
    ledger = workspace.registry.ledger
    size = len(ledger.entries())
    if not size:
        raise UsageError("The ledger is empty.", remedy="add a dataset or a model first")
    predicate = {"size": size, "time": workspace.clock().isoformat()}
    subject = Subject("ledger", (("sha256", ledger.root(size)),))
    return sign_statement(Statement((subject,), CHECKPOINT, predicate), key)


def check_checkpoint(workspace: Workspace, content: bytes, at: datetime) -> tuple[int, list[str]]:
    """Prove that the ledger begins with what a checkpoint saw.

    Returns:
        The checkpoint's size, and the proof's hashes, hex.

    Raises:
        IntegrityError: The ledger was cut or rewritten, or the checkpoint is none.
        Refused: Its key is not trusted.
    """
    signed = verify_statement(content, workspace.keyring(), at)
    try:
        size = int(signed.statement.predicate["size"])
        root = bytes.fromhex(dict(signed.statement.subjects[0].digest)["sha256"])
    except (KeyError, TypeError, ValueError, IndexError):
        raise IntegrityError("This is no checkpoint of a ledger.") from None
    leaves = workspace.registry.ledger.leaves()
    if signed.statement.kind != CHECKPOINT or not size > 0:
        raise IntegrityError("This is no checkpoint of a ledger.")
    if size > len(leaves):
        raise IntegrityError(f"The ledger was cut: it had {size} records, it has {len(leaves)}.")
    proof = prove_consistency(size, leaves)
    present = bytes.fromhex(workspace.registry.ledger.root())
    if not extends(size, root, len(leaves), present, proof):
        raise IntegrityError(
            f"The ledger was rewritten: its first {size} records are not those of the checkpoint."
        )
    return size, [step.hex() for step in proof]


def _check_content(workspace: Workspace, version: Version) -> None:
    tree = workspace.store.check(version.tree)
    if (tree.digest, tree.size, len(tree.files)) != (version.digest, version.size, version.files):
        raise IntegrityError("the stored content is not what was recorded")


def _check_document(workspace: Workspace, version: Version, item: Attached, keyring: Keyring | None) -> None:
    content = workspace.store.document(item.document)
    if keyring is None:
        return
    if item.type == "signature":
        if not workspace.registry.is_retired(version):
            tree = workspace.store.tree(version.tree)
            files = [(file.name if len(tree.files) > 1 else ".", file.sha256) for file in tree.files]
            verify_listed(content, keyring.trusted(item.entry.time), files)
        return
    signed = verify_statement(content, keyring, item.entry.time)
    if version.subject not in signed.statement.subjects:
        raise IntegrityError("it speaks of something else")


def _keyring(workspace: Workspace) -> tuple[Keyring | None, tuple[str, ...]]:
    if not workspace.places.keyring.exists():
        return None, (f"signatures were not judged: there is no keyring {workspace.places.keyring}",)
    return workspace.keyring(), ()


def _asked(words: str, question: Any) -> list[str]:
    try:
        question()
    except GambesonError as error:
        return [f"{words}: {error.message}"]
    return []
