from __future__ import annotations

from dataclasses import replace

from gambeson.audit.base import checks
from gambeson.audit.coverage import coverage
from gambeson.core.finding import Family, Outcome
from gambeson.core.threat import Access
from tests.unit.audit.report.samples import EVASION, MEMBERSHIP


def cell(cells, family, access):
    return next(c for c in cells if (c.family, c.access) == (family, access))


def test_there_are_always_twelve_cells_and_each_empty_one_has_a_reason():
    cells = coverage((), dict.fromkeys(checks.names(), "left out by --only or --skip"))
    assert len({(c.family, c.access) for c in cells}) == 12
    assert all(c.outcome is Outcome.NOT_ASSESSED and c.reason for c in cells)
    assert cell(cells, Family.EVASION, Access.GRADIENT).reason == "left out by --only or --skip"
    assert "no poisoning check" in cell(cells, Family.POISONING, Access.SCORES).reason


def test_the_worst_outcome_of_a_cell_counts():
    passed = replace(EVASION, outcome=Outcome.PASSED)
    cells = coverage((passed, EVASION, MEMBERSHIP), {})
    assert cell(cells, Family.EVASION, Access.GRADIENT).outcome is Outcome.FAILED
    assert cell(cells, Family.PRIVACY, Access.SCORES).checks == ("privacy.membership",)


def test_what_was_not_assessed_is_named_and_hides_no_answer():
    passed = replace(EVASION, outcome=Outcome.PASSED, reason="")
    unread = replace(EVASION, check="evasion.patch", outcome=Outcome.NOT_ASSESSED, reason="no pictures")
    cells = coverage((passed, unread), {})
    found = cell(cells, Family.EVASION, Access.GRADIENT)
    assert found.outcome is Outcome.PASSED
    assert found.reason == "evasion.patch not assessed: no pictures"
    assert cell(coverage((unread,), {}), Family.EVASION, Access.GRADIENT).outcome is Outcome.NOT_ASSESSED
