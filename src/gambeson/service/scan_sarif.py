"""A scan as SARIF 2.1.0: one result for each finding, at the file that holds it."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from gambeson import __version__
from gambeson.audit.report.sarif import model_uri
from gambeson.audit.report.sarif_rules import LEVELS, shorten, to_rule
from gambeson.core.finding import Finding, Outcome
from gambeson.service.scanning import ScanReport
from gambeson.supply.scan_rules import rules
from gambeson.supply.scanning import FileScan

_SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
_MOST_RESULTS, _MOST_NOTES, _LONGEST = 5_000, 1_000, 4_000


def scan_to_sarif(report: ScanReport) -> str:
    """Render a scan; the same report gives the same bytes.

    Findings are results. Files that could not be read, or were not looked at, are notifications. Beyond what
    dashboards take the least severe results are left out, and a notification says how many.
    """
    groups: dict[str, list[Finding]] = {}
    for finding in report.findings:
        groups.setdefault(finding.check, []).append(finding)
    rules = {rule: index for index, rule in enumerate(sorted(groups))}
    pairs = [(file, finding) for file in report.files for finding in file.findings]
    pairs.sort(key=lambda pair: -pair[1].severity.rank)
    run = {
        "tool": {
            "driver": {
                "name": "Gambeson",
                "version": __version__,
                "rules": [_rule(rule, groups) for rule in rules],
            }
        },
        "automationDetails": {"id": "gambeson/scan/"},
        "invocations": [
            {
                "executionSuccessful": not report.counts[Outcome.ERRORED.value],
                "toolExecutionNotifications": _notes(report, len(pairs) - _MOST_RESULTS),
            }
        ],
        "columnKind": "unicodeCodePoints",
        "results": [_result(file, finding, rules[finding.check]) for file, finding in pairs[:_MOST_RESULTS]],
        "properties": {"gate": report.gate, "counts": report.counts},
    }
    return json.dumps({"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}, indent=1) + "\n"


def _rule(name: str, groups: dict[str, list[Finding]]) -> dict[str, Any]:
    """The rule by its claim; what was found in one file does not belong to it."""
    rule = to_rule(name, groups[name])
    if known := rules().get(name):
        rule["shortDescription"] = rule["fullDescription"] = {"text": known.claim}
        rule["help"] = {
            "text": f"{known.claim}.\n{known.remedy}",
            "markdown": f"{known.claim}.\n\n{known.remedy}",
        }
    return rule


def _notes(report: ScanReport, left_out: int) -> list[dict[str, Any]]:
    notes: list[dict[str, Any]] = []
    for file in report.files:
        if file.outcome in (Outcome.ERRORED, Outcome.NOT_ASSESSED) and len(notes) < _MOST_NOTES:
            level = "error" if file.outcome is Outcome.ERRORED else "note"
            text = shorten(f"{file.path}: {file.reason}", _LONGEST)
            notes.append({"level": level, "message": {"text": text}})
    if left_out > 0:
        text = f"{left_out} findings are left out here for lack of room; --json has all of them."
        notes.append({"level": "warning", "message": {"text": text}})
    return notes


def _result(file: FileScan, finding: Finding, rule: int) -> dict[str, Any]:
    key = json.dumps([finding.check, finding.target, finding.title])
    fingerprint = hashlib.sha256(key.encode()).hexdigest()
    location = {"artifactLocation": {"uri": model_uri(file.path)}, "region": {"startLine": 1}}
    return {
        "ruleId": finding.check,
        "ruleIndex": rule,
        "level": LEVELS[finding.severity],
        "message": {"text": shorten(f"{finding.title}.\nat {finding.target}", _LONGEST)},
        "locations": [{"physicalLocation": location}],
        "partialFingerprints": {
            "gambeson/v1": fingerprint,
            "primaryLocationLineHash": fingerprint[:16] + ":1",
        },
        "properties": {
            "severity": finding.severity.value,
            "where": shorten(finding.target, 255),
            "digest": file.digest,
        },
    }
