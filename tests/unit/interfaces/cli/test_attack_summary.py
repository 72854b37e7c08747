from __future__ import annotations

from dataclasses import replace

import pytest
from rich.console import Console

from gambeson.core.finding import Evidence, Table
from gambeson.core.measurement import Interval, Measurement
from gambeson.interfaces.cli.attack_summary import attack_summary
from tests.unit.service.test_attack_report import RUN

TABLE = Table("attacks", "t", ("attack", "broke"), (("pgd", 1234), ("fgsm", None)))


def said(run, width=80):
    console = Console(width=width, no_color=True)
    with console.capture() as captured:
        console.print(attack_summary(run))
    return captured.get()


def test_one_attack_shows_its_figures_with_interval_and_n():
    figure = Measurement("robust_accuracy", 0.41, "fraction", 200, Interval(0.35, 0.48, "wilson"))
    text = said(replace(RUN, attacks=(replace(RUN.attacks[0], measurements=(figure,)),)))
    for part in ("robust accuracy", "41.0%", "[35.0%, 48.0%]", "n=200"):
        assert part in text


def test_stages_and_what_was_cut_are_said():
    report = replace(RUN.attacks[0], evidence=Evidence(tables=(TABLE,)), cut=("pgd was stopped",))
    text = said(replace(RUN, attacks=(report,)))
    assert "1,234" in text
    assert "pgd: pgd was stopped" in text


def test_several_are_compared():
    other = replace(RUN.attacks[0], attack="fgsm")
    text = said(replace(RUN, attacks=(RUN.attacks[0], other), comparison=TABLE, together=other.measurements))
    assert "All together" in text
    assert "–" in text


@pytest.mark.parametrize("name", ["\x1b[31mred", "a\nb"])
def test_names_drive_no_terminal(name):
    text = said(replace(RUN, model=replace(RUN.model, name=name)))
    assert "\x1b" not in text
    assert "a b" in text or "red" in text
