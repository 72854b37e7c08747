"""The report as JUnit XML, for the test tab of a CI server: one test case for each finding."""

from __future__ import annotations

import re
from xml.etree import ElementTree as ET

from gambeson.audit.result import AuditReport
from gambeson.core.finding import Finding, Outcome

_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def to_junit(report: AuditReport) -> str:
    """Render the report: failed findings fail, errored ones error, unassessed and accepted ones are skipped."""
    seconds = dict(report.times.checks)
    tests = [_case(finding, seconds.get(finding.check, 0.0)) for finding in report.findings]
    suite = ET.Element(
        "testsuite",
        {
            "name": _clean(f"gambeson audit of {report.model.name}"),
            "tests": str(len(tests)),
            "failures": str(sum(case.find("failure") is not None for case in tests)),
            "errors": str(sum(case.find("error") is not None for case in tests)),
            "skipped": str(sum(case.find("skipped") is not None for case in tests)),
            "time": f"{report.times.seconds:.3f}",
            "timestamp": report.times.started[:19],
        },
    )
    suite.extend(tests)
    root = ET.Element("testsuites")
    root.append(suite)
    ET.indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ET.tostring(root, encoding="unicode") + "\n"


def _case(finding: Finding, seconds: float) -> ET.Element:
    name = f"{finding.check}@{finding.target}" if finding.target else finding.check
    case = ET.Element(
        "testcase",
        {"classname": f"gambeson.{finding.family}", "name": _clean(name), "time": f"{seconds:.3f}"},
    )
    if finding.suppressed:
        ET.SubElement(case, "skipped", message=_clean(f"accepted: {finding.suppressed}"))
    elif finding.outcome is Outcome.FAILED:
        element = ET.SubElement(
            case, "failure", message=_clean(finding.title), type=str(finding.severity)
        )
        element.text = _clean(f"{finding.summary}\n{finding.remedy}\nRepeat: {finding.evidence.command}")
    elif finding.outcome is Outcome.ERRORED:
        ET.SubElement(case, "error", message=_clean(finding.reason), type="errored")
    elif finding.outcome is Outcome.NOT_ASSESSED:
        ET.SubElement(case, "skipped", message=_clean(finding.reason))
    lines = [f"{m.name} {m}" for m in finding.measurements] + [f"left out: {note}" for note in finding.cut]
    if lines:
        ET.SubElement(case, "system-out").text = _clean("\n".join(lines))
    return case


def _clean(text: str) -> str:
    """Without the characters that XML 1.0 cannot hold."""
    return _NOT_XML.sub("\N{REPLACEMENT CHARACTER}", text)
