"""The report as SARIF 2.1.0, for code-scanning dashboards."""

from __future__ import annotations

import hashlib
import json
from typing import Any
from urllib.parse import quote

from gambeson.audit.base import checks
from gambeson.audit.report.taxonomy import describe_id
from gambeson.audit.result import AuditReport
from gambeson.core.errors import UsageError
from gambeson.core.finding import Finding, Outcome, Severity

_SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
_LEVEL = {
    Severity.CRITICAL: "error",
    Severity.HIGH: "error",
    Severity.MEDIUM: "warning",
    Severity.LOW: "note",
    Severity.INFO: "note",
}
_SCORE = {
    Severity.CRITICAL: "9.5",
    Severity.HIGH: "8.0",
    Severity.MEDIUM: "5.5",
    Severity.LOW: "3.0",
    Severity.INFO: "0.0",
}
# What GitHub's code scanning takes; more would be dropped there without a word.
_MOST_RESULTS = 5_000
_MOST_TAGS = 10
_LONGEST_TEXT = 1_000
_HOME = "https://github.com/gambeson/gambeson"


def to_sarif(report: AuditReport) -> str:
    """Render the report.

    Failed findings are results (suppressed ones carry their suppression); errored ones are notifications;
    what passed or was not assessed is listed under ``properties`` of the run, because dashboards take every
    result for an alert.
    """
    rules = sorted({finding.check for finding in report.findings})
    failed = [f for f in report.findings if f.outcome is Outcome.FAILED][:_MOST_RESULTS]
    errored = [f for f in report.findings if f.outcome is Outcome.ERRORED]
    run = {
        "tool": {
            "driver": {
                "name": "Gambeson",
                "version": report.tool,
                "informationUri": _HOME,
                "rules": [_rule(name, report) for name in rules],
            }
        },
        "automationDetails": {"id": f"gambeson/{_uri(report.model.name)}/"},
        "invocations": [
            {
                "executionSuccessful": not errored,
                "commandLine": report.command,
                "toolExecutionNotifications": [_notification(f, rules) for f in errored],
            }
        ],
        "results": [_result(f, rules, report) for f in failed],
        "properties": {
            "gate": report.gate.outcome,
            "coverage": [f"{c.family}/{c.access}: {c.outcome}" for c in report.coverage],
            "otherFindings": [
                f"{f.check}: {f.outcome}" for f in report.findings if f.outcome is not Outcome.FAILED
            ],
        },
    }
    return json.dumps({"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}, indent=1) + "\n"


def _rule(name: str, report: AuditReport) -> dict[str, Any]:
    """A check as a rule; its severity is the worst that this audit found."""
    found = [f for f in report.findings if f.check == name]
    worst = max((f.severity for f in found if f.outcome is Outcome.FAILED), key=lambda s: s.rank, default=None)
    question = checks[name].facts.question if name in checks else found[0].title
    help_text = next((f.remedy for f in found if f.remedy), "") or question
    ids = [_entry(identifier) for identifier in found[0].taxonomy]
    links = "".join(f"\n- [{title}]({url})" for title, url in ids if url)
    return {
        "id": name,
        "name": "".join(word.capitalize() for word in name.replace(".", "_").split("_")),
        "shortDescription": {"text": _short(question)},
        "fullDescription": {"text": _short(question)},
        "help": {"text": _short(help_text), "markdown": _short(help_text) + links},
        "defaultConfiguration": {"level": _LEVEL[worst or Severity.INFO]},
        "properties": {
            "tags": ["security", "machine-learning", *found[0].taxonomy][:_MOST_TAGS],
            "precision": "high",
            "security-severity": _SCORE[worst or Severity.INFO],
        },
    }


def _entry(identifier: str) -> tuple[str, str]:
    try:
        entry = describe_id(identifier)
    except UsageError:
        return identifier, ""
    return f"{entry.id} {entry.title}", entry.url


def _result(finding: Finding, rules: list[str], report: AuditReport) -> dict[str, Any]:
    figures = "; ".join(f"{m.name} {m}" for m in finding.measurements[:4])
    result: dict[str, Any] = {
        "ruleId": finding.check,
        "ruleIndex": rules.index(finding.check),
        "level": _LEVEL[finding.severity],
        "message": {"text": _short(f"{finding.title}. {figures}. Repeat: {finding.evidence.command}")},
        "locations": [
            {
                "physicalLocation": {
                    "artifactLocation": {"uri": _uri(report.model.name)},
                    "region": {"startLine": 1},
                }
            }
        ],
        "partialFingerprints": {"gambeson/v1": _fingerprint(finding, report)},
        "properties": {"severity": finding.severity, "target": finding.target},
    }
    if finding.suppressed:
        result["suppressions"] = [{"kind": "external", "justification": _short(finding.suppressed)}]
    return result


def _notification(finding: Finding, rules: list[str]) -> dict[str, Any]:
    return {
        "level": "error",
        "message": {"text": _short(f"{finding.check} could not finish: {finding.reason}")},
        "associatedRule": {"id": finding.check, "index": rules.index(finding.check)},
    }


def _fingerprint(finding: Finding, report: AuditReport) -> str:
    """The same for the same question about the same model, whatever the figures of the day."""
    text = json.dumps([finding.check, finding.target, report.model.name])
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def _uri(name: str) -> str:
    return quote(name.removeprefix("./"), safe="/:._-~")


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST_TEXT else text[: _LONGEST_TEXT - 1] + "…"
