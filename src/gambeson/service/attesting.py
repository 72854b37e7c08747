"""Signs what is known of a version: its files, its provenance, an audit of it, an approval."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from gambeson.audit.report.json_report import from_json
from gambeson.audit.result import AuditReport
from gambeson.core.errors import GambesonError, IntegrityError, UsageError
from gambeson.service.tracing import Workspace
from gambeson.supply.canonical import decode_base64, parse
from gambeson.supply.keys import PrivateKey
from gambeson.supply.lineage import provenance
from gambeson.supply.model_signature import sign_listed
from gambeson.supply.policy import APPROVAL, AUDIT
from gambeson.supply.statements import Statement, read_statement, sign_statement
from gambeson.supply.versions import Kind, Version


@dataclass(frozen=True, slots=True)
class AttestedAudit:
    """What a signed audit says; whether its signature holds is the policy's question.

    Attributes:
        document: Its name in the store.
        report: Name of the whole report in the store.
        predicate: What was signed.
    """

    document: str
    report: str
    predicate: Mapping[str, Any]


def require_trusted(workspace: Workspace, key: PrivateKey) -> None:
    """Refuse a key whose signatures would count for nothing, before anything is recorded that it should vouch for.

    Raises:
        Refused: It is unknown, has expired or was revoked.
        UsageError: There is no keyring.
    """
    workspace.keyring().key(key.public.id, workspace.clock())


def sign_version(workspace: Workspace, version: Version, key: PrivateKey) -> tuple[str, ...]:
    """Sign the provenance of a version and, for a model, its files in the OpenSSF's format.

    Returns:
        What was attached: ``provenance``, ``signature``.

    Raises:
        UsageError: The key is of a kind that the format of model signatures does not have.
        IntegrityError: The stored content is not what was recorded.
        Refused: The key is not trusted.
    """
    require_trusted(workspace, key)
    store, registry = workspace.store, workspace.registry
    tree = store.check(version.tree)
    if tree.digest != version.digest:
        raise IntegrityError(f"The stored content of {version.ref} is not what was recorded.")
    inputs = [registry.version(ref).subject for ref in version.lineage.inputs]
    statement = provenance(version.subject, version.lineage, inputs, version.entry.by)
    documents = {"provenance": sign_statement(statement, key)}
    if version.kind is Kind.MODEL:
        files = [(file.name if len(tree.files) > 1 else ".", file.sha256) for file in tree.files]
        documents["signature"] = sign_listed(version.ref, files, key)
    for kind, document in documents.items():
        attach(workspace, version, kind, document)
    return tuple(documents)


def attest_audit(workspace: Workspace, version: Version, text: bytes, key: PrivateKey) -> AuditReport:
    """Sign that a report is of this version; the whole report is kept beside the statement.

    Args:
        workspace: Where.
        version: A model of one file.
        text: ``report.json``.
        key: Who vouches.

    Raises:
        UsageError: The report is of another model.
        IntegrityError: It is no report, or damaged.
        Refused: The key is not trusted.
    """
    require_trusted(workspace, key)
    report = from_json(text)
    if report.model.digest != f"{version.digest[0]}:{version.digest[1]}":
        raise UsageError(
            f"The report is of a model with the digest {report.model.digest}.",
            expected=f"{version.ref}: {version.digest[0]}:{version.digest[1]}",
            remedy="audit the file of this version, or name the version that was audited",
        )
    with workspace.store.objects.writing():
        document = workspace.store.add_document(text)
        statement = Statement((version.subject,), AUDIT, _predicate(workspace, report, document))
        name = workspace.store.add_document(sign_statement(statement, key))
        workspace.registry.attach(version, "audit", name)
    return report


def approval(version: Version, alias: str, reason: str, refused: list[str]) -> Statement:
    """That somebody lets a version pass, and what they knew against it."""
    return Statement((version.subject,), APPROVAL, {"alias": alias, "reason": reason, "refused": refused})


def attach(workspace: Workspace, version: Version, kind: str, document: bytes) -> str:
    """Keep a signed document and record that it speaks of a version; its name in the store."""
    with workspace.store.objects.writing():
        name = workspace.store.add_document(document)
        workspace.registry.attach(version, kind, name)
    return name


def audits_of(workspace: Workspace, version: Version) -> list[AttestedAudit]:
    """The signed audits of a version, from the first on; a damaged one is left out.

    ``gambeson verify`` names what is damaged.
    """
    found = []
    for item in workspace.registry.attached(version):
        if item.type == "audit":
            try:
                envelope = parse(workspace.store.document(item.document), "a signed statement")
                statement = read_statement(decode_base64(envelope["payload"], "payload"))
                found.append(AttestedAudit(item.document, statement.predicate["report"], statement.predicate))
            except (GambesonError, KeyError, TypeError):
                continue
    return found


def _predicate(workspace: Workspace, report: AuditReport, document: str) -> dict[str, Any]:
    data = [v.ref for v in workspace.registry.all() if v.content and v.content == report.data.digest]
    return {
        "tool": report.tool,
        "command": report.command,
        "seed": report.seed,
        "profile": report.profile,
        "threats": list(report.threats),
        "data": {"name": report.data.name, "digest": report.data.digest, "versions": data},
        "gate": {
            "fail_on": str(report.gate.fail_on) if report.gate.fail_on else "never",
            "thresholds": [list(rule) for rule in report.gate.thresholds],
            "outcome": report.gate.outcome.value,
            "reasons": list(report.gate.reasons),
        },
        "figures": _figures(report),
        "started": report.times.started,
        "report": document,
    }


def _figures(report: AuditReport) -> list[dict[str, Any]]:
    return [
        {
            "name": f"{finding.check}.{figure.name}",
            "target": finding.target,
            "value": float(figure.value),
            "unit": figure.unit,
            "n": figure.n,
            "interval": [float(figure.interval.low), float(figure.interval.high)] if figure.interval else [],
        }
        for finding in report.findings
        for figure in finding.measurements
    ]
