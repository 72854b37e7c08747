"""The report as SARIF 2.1.0, for code-scanning dashboards."""

from __future__ import annotations

import gzip
import hashlib
import json
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import quote

from gambeson.audit.report.figures import figure_line
from gambeson.audit.report.sarif_rules import LEVELS, shorten, to_rule
from gambeson.audit.result import AuditReport, GateOutcome
from gambeson.core.finding import Finding, Outcome

_SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
# What GitHub takes: it refuses more than 25,000 results, keeps 5,000, and takes at most 10 MB after gzip.
_MOST_RESULTS = 5_000
_MOST_BYTES = 10_000_000
_LONGEST_MESSAGE = 4_000


def to_sarif(report: AuditReport) -> str:
    """Render the report; the same report gives the same bytes.

    Failed findings are results, and suppressed ones carry their suppression. Errored and unassessed findings
    are notifications of the invocation, because dashboards take every result for an alert. Where there is
    more than GitHub takes, the least severe results are left out and a notification says how many.
    """
    kept = min(_MOST_RESULTS, sum(item.outcome is Outcome.FAILED for item in report.findings))
    text = _render(report, kept)
    while kept and _is_too_large(text):
        kept //= 2
        text = _render(report, kept)
    return text


def _is_too_large(text: str) -> bool:
    data = text.encode()
    return len(data) > _MOST_BYTES and len(gzip.compress(data, 6)) > _MOST_BYTES


def _render(report: AuditReport, kept: int) -> str:
    log = {"$schema": _SCHEMA, "version": "2.1.0", "runs": [_run(report, kept)]}
    return json.dumps(log, indent=1) + "\n"


def _run(report: AuditReport, kept: int) -> dict[str, Any]:
    groups: dict[str, list[Finding]] = {}
    for finding in report.findings:
        groups.setdefault(finding.check, []).append(finding)
    rules = {check: index for index, check in enumerate(sorted(groups))}
    failed = [item for item in report.findings if item.outcome is Outcome.FAILED]
    failed.sort(key=lambda item: -item.severity.rank)
    return {
        "tool": {
            "driver": {
                "name": "Gambeson",
                "version": report.tool,
                "rules": [to_rule(check, groups[check]) for check in rules],
            }
        },
        "automationDetails": {"id": f"gambeson/{model_uri(report.model.name)}/"},
        "invocations": [_invocation(report, rules, len(failed) - kept)],
        "columnKind": "unicodeCodePoints",
        "results": [_result(item, report, rules[item.check]) for item in failed[:kept]],
        "properties": {
            "gate": report.gate.outcome.value,
            "coverage": [f"{cell.family}/{cell.access}: {cell.outcome}" for cell in report.coverage],
        },
    }


def _invocation(report: AuditReport, rules: dict[str, int], left_out: int) -> dict[str, Any]:
    errored = any(item.outcome is Outcome.ERRORED for item in report.findings)
    unanswered = [item for item in report.findings if item.outcome in (Outcome.ERRORED, Outcome.NOT_ASSESSED)]
    notes = [_notification(item, rules[item.check]) for item in unanswered]
    if left_out:
        text = f"{left_out} failed findings are left out here for lack of room; report.json has all of them."
        notes.append({"level": "warning", "message": {"text": text}})
    return {
        "executionSuccessful": not errored and report.gate.outcome is not GateOutcome.INCOMPLETE,
        "commandLine": shorten(report.command, _LONGEST_MESSAGE),
        "toolExecutionNotifications": notes,
    }


def _notification(finding: Finding, rule: int) -> dict[str, Any]:
    errored = finding.outcome is Outcome.ERRORED
    verb = "could not finish" if errored else "was not assessed"
    about = f" ({finding.target})" if finding.target else ""
    text = f"{finding.check}{about} {verb}: {finding.reason}"
    return {
        "level": "error" if errored else "note",
        "message": {"text": shorten(text, _LONGEST_MESSAGE)},
        "associatedRule": {"id": finding.check, "index": rule},
    }


def _result(finding: Finding, report: AuditReport, rule: int) -> dict[str, Any]:
    fingerprint = _fingerprint(finding, report.model.name)
    result = {
        "ruleId": finding.check,
        "ruleIndex": rule,
        "level": LEVELS[finding.severity],
        "message": {"text": _message(finding)},
        "locations": [_location(report.model.name)],
        # GitHub tells two alerts of one rule in one file apart by the second of these alone.
        "partialFingerprints": {
            "gambeson/v1": fingerprint,
            "primaryLocationLineHash": fingerprint[:16] + ":1",
        },
        "properties": {"severity": finding.severity.value, "target": shorten(finding.target, 255)},
    }
    if finding.suppressed:
        reason = shorten(finding.suppressed, _LONGEST_MESSAGE)
        result["suppressions"] = [{"kind": "external", "justification": reason}]
    return result


def _message(finding: Finding) -> str:
    """The claim and its figures first: they are what must survive a cut."""
    lines = [finding.title.rstrip(".") + ".", *map(figure_line, finding.measurements)]
    lines += [f"left out: {note}" for note in finding.cut]
    lines += [finding.summary] if finding.summary else []
    lines += [f"repeat with: {finding.evidence.command}"] if finding.evidence.command else []
    return shorten("\n".join(lines), _LONGEST_MESSAGE)


def _location(name: str) -> dict[str, Any]:
    location: dict[str, Any] = {
        "physicalLocation": {"artifactLocation": {"uri": model_uri(name)}, "region": {"startLine": 1}}
    }
    if name.startswith("python:"):
        dotted = name.removeprefix("python:").replace(":", ".")
        location["logicalLocations"] = [{"fullyQualifiedName": shorten(dotted, 255), "kind": "function"}]
    return location


def _fingerprint(finding: Finding, model: str) -> str:
    """The same for the same question about the same model, whatever the figures of the day."""
    key = json.dumps([finding.check, finding.target, model])
    return hashlib.sha256(key.encode()).hexdigest()


def model_uri(name: str) -> str:
    """Where a model lies, as a relative URI: dashboards know no other.

    Args:
        name: Path of a file, or ``python:package.module:function``, which lies in ``package/module.py``.
    """
    if name.startswith("python:"):
        name = name.split(":")[1].replace(".", "/") + ".py"
    parts = [part for part in PurePosixPath(name).parts if part not in ("/", "//", "..")]
    return "/".join(quote(part, safe="", errors="replace") for part in parts) or "model"
