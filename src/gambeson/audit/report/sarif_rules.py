"""The rules of a SARIF report: one for each check that left a finding."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from gambeson.audit.base import checks
from gambeson.audit.report.figures import valid_unicode
from gambeson.audit.report.taxonomy import TaxonomyEntry, describe_id
from gambeson.core.errors import UsageError
from gambeson.core.finding import Finding, Outcome, Severity

LEVELS = {
    Severity.CRITICAL: "error",
    Severity.HIGH: "error",
    Severity.MEDIUM: "warning",
    Severity.LOW: "note",
    Severity.INFO: "note",
}
# GitHub reads 0.1-3.9 as low, 4.0-6.9 as medium, 7.0-8.9 as high and 9.0 or more as critical.
_SCORES = {
    Severity.CRITICAL: "9.5",
    Severity.HIGH: "8.0",
    Severity.MEDIUM: "5.5",
    Severity.LOW: "2.0",
    Severity.INFO: "0.0",
}
# GitHub refuses more than 20 tags and shows 10; a description has 1024 characters at most, a name 255.
_MOST_TAGS = 10
_LONGEST_DESCRIPTION = 1_024
_LONGEST_NAME = 255
_FAMILIES_URL = "https://doi.org/10.6028/NIST.AI.100-2e2025"


def to_rule(check: str, findings: Sequence[Finding]) -> dict[str, Any]:
    """A check as a SARIF ``reportingDescriptor``; its severity is the worst that was found.

    Args:
        check: Id of the check, which need not be registered here: the report may come from elsewhere.
        findings: Its findings, worst first; at least one.
    """
    first = findings[0]
    failed = [item.severity for item in findings if item.outcome is Outcome.FAILED]
    worst = max(failed, key=lambda severity: severity.rank, default=Severity.INFO)
    entries = [_entry(identifier) for identifier in first.taxonomy]
    question = checks[check].facts.question if check in checks else first.title
    access = f", attacker sees {first.access}" if first.access else ""
    full = f"{question} (Attack family: {first.family}{access}.)"
    return {
        "id": check,
        "name": shorten("".join(part.title() for part in check.replace("_", ".").split(".")), _LONGEST_NAME),
        "shortDescription": {"text": shorten(question, _LONGEST_DESCRIPTION)},
        "fullDescription": {"text": shorten(full, _LONGEST_DESCRIPTION)},
        "help": _help(question, findings, entries),
        "helpUri": next((entry.url for entry in entries if entry.url), _FAMILIES_URL),
        "defaultConfiguration": {"level": LEVELS[worst]},
        "properties": {
            "tags": _tags(first),
            "precision": "high",
            "security-severity": _SCORES[worst],
        },
    }


def shorten(text: str, most: int) -> str:
    """The text as valid Unicode of at most ``most`` characters; an ellipsis shows that it was cut."""
    text = valid_unicode(text)
    return text if len(text) <= most else text[: most - 1] + "…"


def _tags(finding: Finding) -> list[str]:
    tags = ["security", "machine-learning", finding.family.value, *finding.taxonomy]
    return list(dict.fromkeys(tags))[:_MOST_TAGS]


def _help(question: str, findings: Sequence[Finding], entries: Sequence[TaxonomyEntry]) -> dict[str, str]:
    remedies = list(dict.fromkeys(item.remedy for item in findings if item.remedy))
    names = [f"{entry.id} {entry.title} ({entry.release})".replace(" ()", "") for entry in entries]
    links = [
        f"[{name}]({entry.url})" if entry.url else name for name, entry in zip(names, entries, strict=True)
    ]
    return {
        "text": "\n".join([question, *remedies, *names]),
        "markdown": "\n".join(
            [question, "", *(f"{remedy}\n" for remedy in remedies), *(f"- {link}" for link in links)]
        ),
    }


def _entry(identifier: str) -> TaxonomyEntry:
    """An identifier of somebody else's check stays as it is: a report is never lost over it."""
    try:
        return describe_id(identifier)
    except UsageError:
        return TaxonomyEntry(identifier, "", "", "")
