"""Compares two audits: did the model become more robust, and can that be believed?"""

from __future__ import annotations

from dataclasses import dataclass, replace

from gambeson.audit.report.diff import FigureChange, compare_reports
from gambeson.audit.result import AuditReport
from gambeson.core.finding import Finding, Outcome
from gambeson.core.measurement import Measurement
from gambeson.service.hardening_report import CLEAN, EXPOSURE, ROBUST

BEFORE = "before"
"""Name of the model that was given."""
_SANITY = "evasion.sanity"
_MEMBERSHIP = "privacy.membership"
_EXTRACTION = "extraction."


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of robustness.

    Attributes:
        words: In a sentence.
        improved: Whether it rose by more than chance, and can be believed.
    """

    words: str
    improved: bool


def figures(report: AuditReport) -> tuple[Measurement, ...]:
    """Clean and robust accuracy, the AUC of membership inference and how like copies are, where they were measured."""
    judges = [f for f in report.findings if f.check.startswith("evasion.") and f.check != _SANITY]
    found = [_figure(f, name) for name in (CLEAN, ROBUST) for f in judges[:1]]
    found += [_figure(f, EXPOSURE) for f in report.findings if f.check == _MEMBERSHIP]
    found += [_fidelity(f) for f in report.findings if f.check.startswith(_EXTRACTION)]
    return tuple(m for m in found if m is not None)


def _fidelity(finding: Finding) -> Measurement | None:
    """Of the copy that was trained on the most answers, which stands first; named by what it was trained on."""
    first = next((m for m in finding.measurements if m.name.startswith("fidelity_at_")), None)
    return (
        None
        if first is None
        else replace(first, name=f"{finding.check.removeprefix(_EXTRACTION)}_{first.name}")
    )


def _figure(finding: Finding, name: str) -> Measurement | None:
    return next((m for m in finding.measurements if m.name == name), None)


def judge(before: AuditReport, after: AuditReport) -> Verdict:
    """Whether robust accuracy rose by more than chance.

    Where the audit's diagnostics say that gradients of the new model are masked, its robust accuracy is no sign of
    robustness, however high.
    """
    change = _change(before, after)
    if change is None:
        why = next(
            (f.reason for f in (*before.findings, *after.findings) if f.reason), "no check measures it"
        )
        return Verdict(f"robust accuracy was not measured: {why}", improved=False)
    from_to = f"from {change.before.value:.1%} to {change.after.value:.1%}"
    masked = [f.title for f in after.findings if f.check == _SANITY and f.outcome is Outcome.FAILED]
    if masked and change.verdict == "better":
        return Verdict(
            f"robust accuracy went {from_to}, but the gradients are masked ({masked[0]}): not to be believed",
            improved=False,
        )
    p = change.p_value
    chance = "" if p is None else " (p < 0.0001)" if p < 1e-4 else f" (p = {p:.2g})"
    match change.verdict:
        case "better":
            return Verdict(f"more robust: robust accuracy rose {from_to}{chance}", improved=True)
        case "worse":
            return Verdict(f"less robust: robust accuracy fell {from_to}{chance}", improved=False)
    return Verdict(f"no more robust: robust accuracy {from_to}, no more than chance{chance}", improved=False)


def _change(before: AuditReport, after: AuditReport) -> FigureChange | None:
    changes = compare_reports(before, after).figures
    return next((c for c in changes if c.name.endswith(f": {ROBUST}")), None)
