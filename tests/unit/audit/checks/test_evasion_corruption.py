"""The corruption check: no attack, falls with severity, says what was left out."""

from __future__ import annotations

import pytest

from gambeson.audit.base import checks
from gambeson.audit.checks import evasion_corruption
from gambeson.audit.checks.evasion_corruption import _judge
from gambeson.core.errors import InsufficientEvidence, Unavailable
from gambeson.core.finding import Outcome, Severity
from tests.unit.audit.checks.evasion_worlds import context
from tests.unit.audit.checks.picture_worlds import ask, open_net, value

CHECK = "evasion.corruption"


@pytest.fixture(scope="module")
def net(digits_net):
    return open_net(digits_net)


def test_accuracy_falls_with_severity_and_nobody_attacks(net):
    finding = ask(CHECK, net)
    (curve,) = finding.evidence.curves
    (series,) = curve.series
    assert series.x == (0, 1, 2, 3, 4, 5)
    assert series.y[0] == value(finding, "clean_accuracy")
    assert series.y[5] < series.y[1] <= series.y[0] + 0.02
    assert finding.access is None
    assert "Nobody attacks" in finding.summary


def test_the_mean_of_the_table_is_the_figure_and_has_an_interval(net):
    finding = ask(CHECK, net)
    (table,) = finding.evidence.tables
    cells = [cell for row in table.rows for cell in row[1:6]]
    figure = finding.measurement("corruption_accuracy")
    assert len(cells) == 55
    assert figure.value == pytest.approx(sum(cells) / 55)
    assert figure.interval.low < figure.value < figure.interval.high
    assert figure.n == 60
    (bars,) = finding.evidence.bars
    assert bars.series[0].values == pytest.approx([row[6] for row in table.rows])


def test_batch_size_decides_nothing(net):
    assert ask(CHECK, net) == ask(CHECK, net, rows_per_pass=8)


def test_kinds_for_which_there_was_no_time_are_named(net):
    ticks = iter(range(100))
    finding = ask(CHECK, net, deadline=3, clock=lambda: next(ticks))
    assert len(finding.cut) == 8
    assert finding.cut[0] == "gaussian blur was not measured: time ran out"
    with pytest.raises(InsufficientEvidence, match="Time ran out"):
        ask(CHECK, net, deadline=0, clock=lambda: 1)


def test_without_pillow_jpeg_is_left_out_and_said(net, monkeypatch):
    monkeypatch.setattr(evasion_corruption, "find_spec", lambda name: None)
    finding = ask(CHECK, net)
    assert finding.cut == ("jpeg was not measured: no Pillow",)
    assert finding.target == "common corruptions"


@pytest.mark.parametrize(
    ("kept", "finished", "expected"),
    [
        (0.85, True, (Outcome.PASSED, Severity.INFO)),
        (0.85, False, (Outcome.NOT_ASSESSED, Severity.INFO)),
        (0.7, False, (Outcome.FAILED, Severity.LOW)),
        (0.4, True, (Outcome.FAILED, Severity.MEDIUM)),
    ],
)
def test_natural_shift_is_never_a_grave_finding(kept, finished, expected):
    assert _judge(kept, finished=finished) == expected


def test_a_table_is_refused():
    with pytest.raises(Unavailable, match="pictures only"):
        checks[CHECK].plugin(context(CHECK))
