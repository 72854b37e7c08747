from __future__ import annotations

import io

import pytest
from rich.console import Console

from gambeson.audit.report.terminal import summary
from tests.unit.audit.report.samples import hostile_report, sample_report


def text(report, width=100):
    stream = io.StringIO()
    Console(file=stream, width=width, no_color=True).print(summary(report))
    return stream.getvalue()


def test_it_names_findings_figures_cuts_and_the_gate():
    shown = text(sample_report())
    for words in (
        "evasion.gradient",
        "0.400 [0.309, 0.498] (n=100)",
        "cut: square",
        "gate closed",
        "exit code 1",
    ):
        assert words in shown
    assert "FAIL (accepted)" in shown
    assert "RuntimeError: boom" in shown


@pytest.mark.parametrize("width", [60, 80, 120])
def test_no_line_is_wider_than_the_terminal(width):
    for report in (sample_report(), hostile_report()):
        assert max(len(line) for line in text(report, width).splitlines()) <= width


def test_every_family_has_its_row():
    assert all(
        family in text(sample_report()) for family in ("evasion", "privacy", "extraction", "poisoning")
    )
