"""The gate: does what was found hold up a release?"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Sequence

from gambeson.audit.base import checks
from gambeson.audit.result import Gate, GateOutcome
from gambeson.core.errors import UsageError
from gambeson.core.finding import Finding, Outcome, Severity
from gambeson.core.measurement import Measurement

_RULE = re.compile(r"^\s*(<=|>=|<|>)\s*([-+0-9.eE]+)\s*$")
_COMPARE: dict[str, Callable[[float, float], bool]] = {
    "<=": operator.le,
    ">=": operator.ge,
    "<": operator.lt,
    ">": operator.gt,
}


def parse_rule(name: str, rule: str) -> tuple[str, float]:
    """Operator and limit of a threshold such as ``">= 0.4"``.

    Raises:
        UsageError: It is no such rule, or ``name`` is no figure of a known check.
    """
    checks[name.rpartition(".")[0]]  # a name with a slip in it would never be measured
    match = _RULE.match(rule)
    try:
        if match is not None:
            return match.group(1), float(match.group(2))
    except ValueError:
        pass
    raise UsageError(
        f"The threshold {name!r} has the rule {rule!r}.",
        expected='one of <= < >= > and a number, e.g. ">= 0.4"',
    )


def decide_gate(
    findings: Sequence[Finding],
    fail_on: Severity | None,
    thresholds: tuple[tuple[str, str], ...],
    *,
    interrupted: bool = False,
) -> Gate:
    """Close the gate on failed findings and broken thresholds; suppressed findings do not count.

    A threshold names a figure as ``<check>.<measurement>`` and must hold for every finding of the check that
    has it; a threshold whose figure was not measured closes the gate, for silence is no proof. An audit with
    an errored check, or an interrupted one, is INCOMPLETE unless the gate is closed anyway.

    Raises:
        UsageError: A threshold is malformed.
    """
    open_findings = [f for f in findings if not f.suppressed]
    reasons = [
        f"{f.check} ({f.target}) failed with severity {f.severity}" if f.target else f"{f.check} failed"
        for f in open_findings
        if f.outcome is Outcome.FAILED and fail_on is not None and f.severity.rank >= fail_on.rank
    ]
    for name, rule in thresholds:
        reasons += _broken(name, rule, open_findings, findings)
    gaps = [f"{f.check} could not be completed" for f in open_findings if f.outcome is Outcome.ERRORED]
    if interrupted:
        gaps.append("the audit was interrupted: --resume goes on with what is missing")
    if reasons:
        outcome = GateOutcome.CLOSED
    elif gaps:
        outcome = GateOutcome.INCOMPLETE
    else:
        outcome = GateOutcome.OPEN
    return Gate(fail_on, thresholds, outcome, (*reasons, *gaps))


def _broken(name: str, rule: str, counted: Sequence[Finding], everything: Sequence[Finding]) -> list[str]:
    symbol, limit = parse_rule(name, rule)
    if not _figures(name, everything):
        return [f"{name} {rule} could not be checked: the figure was not measured"]
    return [
        f"{name} is {figure.value:.4g}, not {rule.strip()}"
        for figure in _figures(name, counted)
        if not _COMPARE[symbol](figure.value, limit)
    ]


def _figures(name: str, findings: Sequence[Finding]) -> list[Measurement]:
    return [m for f in findings for m in f.measurements if f"{f.check}.{m.name}" == name]
