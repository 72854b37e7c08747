"""What hardening says in a terminal."""

from __future__ import annotations

from dataclasses import replace

from rich.console import Console

from gambeson.interfaces.cli.harden_summary import harden_summary
from gambeson.service.hardening_report import Training
from tests.unit.service.test_hardening_report import candidate, run


def test_models_stand_beside_one_another_with_intervals_and_the_verdict():
    training = Training("pgd", (), 340, 12.4, True, ())
    hardened = replace(candidate("pgd", True), verdict="more robust: 10% to 50%", training=training)
    console = Console(width=100, record=True)
    console.print(harden_summary(replace(run(), candidates=(hardened,))))
    text = console.export_text()
    assert "50.0% [23.7%, 76.3%]" in text
    assert "340 steps, 12 s" in text
    assert "pgd: more robust: 10% to 50%" in text
