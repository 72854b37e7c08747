"""Promotes a model through the policy gate, rolls it back, and scans it in between."""

from __future__ import annotations

import importlib
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gambeson.audit.gate import decide_gate
from gambeson.audit.report.json_report import from_json
from gambeson.audit.result import GateOutcome
from gambeson.core.errors import Refused, Unavailable, UsageError
from gambeson.core.finding import Outcome, Severity
from gambeson.service.attesting import approval, attach, require_trusted
from gambeson.service.tracing import Workspace
from gambeson.service.versioning import digest_of_source
from gambeson.supply.keys import PrivateKey
from gambeson.supply.policy import Gatekeeper, Requirement
from gambeson.supply.statements import sign_statement
from gambeson.supply.versions import Kind, Move, Version


@dataclass(frozen=True, slots=True)
class Promotion:
    """What came of asking.

    Attributes:
        version: Which.
        alias: Where to.
        requirements: Each with its reason.
        move: The record of the move; ``None`` where it was refused.
    """

    version: Version
    alias: str
    requirements: tuple[Requirement, ...]
    move: Move | None

    @property
    def refused(self) -> tuple[Requirement, ...]:
        """What does not hold."""
        return tuple(item for item in self.requirements if not item.holds)


@dataclass(frozen=True, slots=True)
class AuditRules:
    """What an audit must hold to, whatever its own gate was.

    Attributes:
        fail_on: Failed findings of this severity or above refuse; ``None`` for never.
        thresholds: Rules such as ``("evasion.gradient.robust_accuracy", ">= 0.4")``.
    """

    fail_on: Severity | None = Severity.HIGH
    thresholds: tuple[tuple[str, str], ...] = ()

    @property
    def looser(self) -> bool:
        """Whether findings pass that close the gate by default."""
        return self.fail_on is None or self.fail_on.rank > Severity.HIGH.rank

    def __str__(self) -> str:
        rules = [f"fail-on {self.fail_on or 'never'}", *(f"{name} {rule}" for name, rule in self.thresholds)]
        return ", ".join(rules)


STRICT = AuditRules()


def judge(workspace: Workspace, version: Version, rules: AuditRules = STRICT) -> tuple[Requirement, ...]:
    """Every requirement of the gate for a model, and whether it holds now.

    Raises:
        UsageError: It is no model, or there is no keyring.
    """
    if version.kind is not Kind.MODEL:
        raise UsageError(f"{version.ref} is a {version.kind}.", expected="a model")
    keeper = Gatekeeper(
        workspace.store,
        workspace.registry,
        workspace.keyring(),
        workspace.clock(),
        lambda one: scan_version(workspace, one),
        lambda predicate: _closes(workspace, predicate, rules),
        digest_of_source,
    )
    return tuple(keeper.judge(version))


def promote(
    workspace: Workspace,
    ref: str,
    alias: str,
    *,
    key: PrivateKey | None = None,
    override: str = "",
    rules: AuditRules = STRICT,
) -> Promotion:
    """Point an alias at a model if everything verifies, or if somebody signs for what does not.

    Args:
        workspace: Where.
        ref: The model's version.
        alias: ``production``, ``candidate``, ...
        key: Signs the approval; needed for an override.
        override: Why the model passes all the same; empty for no override.
        rules: What its audit must hold to; looser ones than STRICT are recorded and signed.

    Raises:
        UsageError: An override or looser rules have no key, or the key is not trusted.
    """
    version = workspace.registry.version(ref)
    if key is None and (override or rules.looser):
        what = "An override" if override else f"A gate that lets findings of severity high pass ({rules})"
        raise UsageError(f"{what} is signed.", remedy="name your key with --key")
    if key is not None:
        require_trusted(workspace, key)
    requirements = judge(workspace, version, rules)
    refused = [f"{item.name} of {item.subject}: {item.reason}" for item in requirements if not item.holds]
    if refused and not override:
        return Promotion(version, alias, requirements, None)
    passed = "everything verified" + (f"; audit held to {rules}" if rules != STRICT else "")
    document = ""
    if key is not None:
        statement = approval(version, alias, override or passed, refused)
        document = attach(
            workspace, version, "override" if refused else "approval", sign_statement(statement, key)
        )
    reason = f"override: {override}" if refused else passed
    move = workspace.registry.move(version, alias, reason=reason, document=document)
    return Promotion(version, alias, requirements, move)


def roll_back(workspace: Workspace, name: str, alias: str, reason: str) -> Move:
    """Point an alias back at the version it pointed at before the present one.

    The gate is not asked: a version that is in trouble must be left at once.

    Raises:
        UsageError: The alias has pointed at one version only.
        Refused: That version was retired.
    """
    registry = workspace.registry
    registry.version(f"{name}@{alias}")
    moves = registry.moves(name, alias)
    present = moves[-1].number
    before = _before(moves, present)
    if before is None:
        raise UsageError(
            f"{name}@{alias} has pointed at no other version than {present}.",
            remedy=f"promote another version to {alias}",
        )
    version = registry.version(f"{name}@{before}")
    if registry.is_retired(version):
        raise Refused(f"{version.ref} was retired.", remedy=f"promote another version to {alias}")
    return registry.move(version, alias, reason=f"rolled back from {present}: {reason}")


def _closes(workspace: Workspace, predicate: Mapping[str, Any], rules: AuditRules) -> list[str]:
    """What closes the gate for the report that a signed audit names."""
    report = from_json(workspace.store.document(str(predicate["report"])))
    incomplete = report.gate.outcome is GateOutcome.INCOMPLETE
    gate = decide_gate(report.findings, rules.fail_on, rules.thresholds, interrupted=incomplete)
    return [] if gate.outcome is GateOutcome.OPEN else list(gate.reasons)


def _before(moves: list[Move], present: int) -> int | None:
    """The version before the present one; versions that were rolled back from are not gone back to."""
    stack: list[int] = []
    for move in moves:
        if move.number in stack:
            del stack[stack.index(move.number) :]
        stack.append(move.number)
    return stack[-2] if len(stack) > 1 and stack[-1] == present else None


def scan_version(workspace: Workspace, version: Version) -> list[str]:
    """Problems that scanning finds in the files of a version; none if all of them are clean.

    A file in a format that is not known is a problem of a model. Of a dataset it is none: data were validated when they
    were added, and plain text is in no format.

    Raises:
        Unavailable: There is no scanner.
    """
    try:
        scanning = importlib.import_module("gambeson.supply.scanning")
    except ModuleNotFoundError:
        raise Unavailable("the files cannot be scanned: there is no scanner here") from None
    with tempfile.TemporaryDirectory(prefix="gambeson-") as name:
        paths = workspace.store.check_out(version.tree, Path(name) / "files")
        root = Path(name) / "files"
        problems = []
        for path in paths:
            result = scanning.scan_file(path)
            shown = path.relative_to(root).as_posix()
            worst = [f for f in result.findings if f.severity.rank >= Severity.HIGH.rank]
            problems += [f"{shown}: {finding.title}" for finding in worst]
            unread = result.outcome is Outcome.NOT_ASSESSED and version.kind is Kind.MODEL
            if result.outcome is Outcome.ERRORED or unread:
                problems.append(f"{shown} could not be scanned: {result.reason}")
        return problems
