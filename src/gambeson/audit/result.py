"""The one result of an audit, from which every report format is rendered."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from gambeson.core.finding import Family, Finding, Outcome, Severity
from gambeson.core.threat import Access

SCHEMA_VERSION = "1.1"


class GateOutcome(StrEnum):
    """Whether the audit holds up a release."""

    OPEN = "OPEN"
    """No finding at or above the gate."""
    CLOSED = "CLOSED"
    """At least one finding failed at or above the gate."""
    INCOMPLETE = "INCOMPLETE"
    """The audit could not finish: a check errored or was interrupted."""


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell of the coverage matrix.

    Attributes:
        family: Row.
        access: Column.
        outcome: Worst outcome among the checks of this cell; ``NOT_ASSESSED`` when none ran.
        checks: Ids of the checks that looked here.
        reason: Why it was not assessed; empty otherwise.
    """

    family: Family
    access: Access
    outcome: Outcome
    checks: tuple[str, ...] = ()
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Subject:
    """What was audited: a model or a dataset, by name and digest, with ``(name, value)`` facts."""

    name: str
    digest: str
    facts: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Gate:
    """What decides the exit code.

    Attributes:
        fail_on: Findings that failed at this severity or above close the gate; ``None`` never closes it.
        thresholds: ``(measurement, rule)`` pairs such as ``("evasion.gradient.robust_accuracy", ">= 0.4")``.
        outcome: The decision.
        reasons: One line for each thing that closed it, then for each that kept the audit from its end.
    """

    fail_on: Severity | None
    thresholds: tuple[tuple[str, str], ...]
    outcome: GateOutcome
    reasons: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Times:
    """All that differs between two runs with the same seed, kept in one place.

    Attributes:
        started: ISO 8601 with time zone.
        seconds: Wall-clock time of the whole audit.
        checks: ``(check id, seconds)``.
        resumed: How often the run was resumed.
    """

    started: str
    seconds: float
    checks: tuple[tuple[str, float], ...] = ()
    resumed: int = 0


@dataclass(frozen=True, slots=True)
class AuditReport:
    """Everything that an audit found.

    Attributes:
        version: Version of the JSON layout (``SCHEMA_VERSION``).
        tool: Version of Gambeson.
        model: The audited model.
        data: The data it was audited on.
        command: The exact command that repeats the audit.
        seed: Root of the seed tree.
        profile: ``quick``, ``standard`` or ``thorough``.
        threats: The declared attackers, in words.
        environment: ``(name, value)``: Python, torch, processor, threads.
        findings: Worst first.
        coverage: Four families by three access levels, always all twelve cells.
        gate: The decision.
        times: All that depends on the clock.
    """

    tool: str
    model: Subject
    data: Subject
    command: str
    seed: int
    profile: str
    threats: tuple[str, ...]
    environment: tuple[tuple[str, str], ...]
    findings: tuple[Finding, ...]
    coverage: tuple[Cell, ...]
    gate: Gate
    times: Times
    version: str = SCHEMA_VERSION
