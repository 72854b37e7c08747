"""The report as JUnit XML, for the test tab of a CI server: one test case for each finding."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from xml.etree import ElementTree as ET

from gambeson.audit.report.figures import figure_line, finding_key
from gambeson.audit.result import AuditReport
from gambeson.core.finding import Finding, Outcome

_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def to_junit(report: AuditReport) -> str:
    """Render the report: failed findings fail, errored ones err, unassessed and accepted ones are skipped.

    The time of a check is shared out evenly among its findings. Characters that XML 1.0 cannot hold become
    U+FFFD.
    """
    asked = Counter(finding.check for finding in report.findings)
    seconds = {check: value / asked[check] for check, value in report.times.checks if asked[check]}
    cases = [_case(finding, seconds.get(finding.check, 0.0)) for finding in report.findings]
    counts = {
        "tests": str(len(cases)),
        "failures": _count(cases, "failure"),
        "errors": _count(cases, "error"),
    }
    name = _clean(f"gambeson audit of {report.model.name}")
    time = f"{report.times.seconds:.3f}"
    root = ET.Element("testsuites", {"name": "gambeson", **counts, "time": time})
    suite = ET.SubElement(root, "testsuite", {"name": name, **counts, "time": time})
    suite.set("skipped", _count(cases, "skipped"))
    suite.set("timestamp", _clean(report.times.started))
    suite.append(_properties(report))
    suite.extend(cases)
    ET.indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ET.tostring(root, encoding="unicode") + "\n"


def _properties(report: AuditReport) -> ET.Element:
    """What a reader needs to repeat the audit."""
    facts = [
        ("gambeson", report.tool),
        ("model digest", report.model.digest),
        ("data", report.data.name),
        ("data digest", report.data.digest),
        ("profile", report.profile),
        ("seed", str(report.seed)),
        ("gate", report.gate.outcome.value),
        ("command", report.command),
    ]
    element = ET.Element("properties")
    for name, value in facts:
        ET.SubElement(element, "property", name=name, value=_clean(value))
    return element


def _case(finding: Finding, seconds: float) -> ET.Element:
    names = {"classname": finding.family.value, "name": _clean(finding_key(finding))}
    case = ET.Element("testcase", {**names, "time": f"{seconds:.3f}"})
    if finding.outcome is Outcome.ERRORED:
        ET.SubElement(case, "error", type="errored", message=_clean(finding.reason or finding.title))
    elif finding.outcome is Outcome.NOT_ASSESSED:
        ET.SubElement(case, "skipped", message=_clean(f"not assessed: {finding.reason}"))
    elif finding.suppressed:
        ET.SubElement(case, "skipped", message=_clean(f"accepted: {finding.suppressed}"))
    elif finding.outcome is Outcome.FAILED:
        failure = ET.SubElement(case, "failure", type=finding.severity.value, message=_clean(finding.title))
        failure.text = _clean("\n".join(filter(None, (finding.summary, finding.remedy))))
    case.extend(_output(finding))
    return case


def _output(finding: Finding) -> Iterable[ET.Element]:
    lines = [figure_line(figure) for figure in finding.measurements]
    lines += [f"left out: {note}" for note in finding.cut]
    lines += [f"repeat with: {finding.evidence.command}"] if finding.evidence.command else []
    if lines:
        element = ET.Element("system-out")
        element.text = _clean("\n".join(lines))
        yield element


def _count(cases: list[ET.Element], outcome: str) -> str:
    return str(sum(case.find(outcome) is not None for case in cases))


def _clean(text: str) -> str:
    """Without the characters that XML 1.0 cannot hold."""
    return _NOT_XML.sub("\N{REPLACEMENT CHARACTER}", text)
