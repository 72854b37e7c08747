"""The coverage matrix: four families by three access levels, every cell with an outcome or a reason."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from gambeson.audit.base import checks
from gambeson.audit.result import Cell
from gambeson.core.finding import Family, Finding, Outcome
from gambeson.core.threat import Access

_ORDER = (Outcome.ERRORED, Outcome.FAILED, Outcome.PASSED, Outcome.NOT_ASSESSED)
"""The worst answer of a cell counts; one that was not given counts only where there is no other, and is named."""


def coverage(findings: Sequence[Finding], left_out: Mapping[str, str]) -> tuple[Cell, ...]:
    """All twelve cells, families in order, least access first.

    Args:
        findings: Of the checks that ran.
        left_out: Why each other registered check did not run, by check id.
    """
    return tuple(_cell(family, access, findings, left_out) for family in Family for access in Access)


def _cell(family: Family, access: Access, findings: Sequence[Finding], left_out: Mapping[str, str]) -> Cell:
    here = [f for f in findings if f.family is family and f.access is access]
    if here:
        outcome = min((f.outcome for f in here), key=_ORDER.index)
        told = [f for f in here if f.reason and f.outcome in (outcome, Outcome.NOT_ASSESSED)]
        reasons = [f.reason if f.outcome is outcome else f"{f.check} not assessed: {f.reason}" for f in told]
        return Cell(family, access, outcome, tuple(dict.fromkeys(f.check for f in here)), "; ".join(reasons))
    known = [c.name for c in checks if c.facts.family is family and c.facts.access is access]
    reason = "; ".join(dict.fromkeys(left_out.get(name, "not chosen") for name in known))
    missing = f"this version has no {family} check for an attacker with {access} access"
    return Cell(family, access, Outcome.NOT_ASSESSED, tuple(known), reason or missing)
