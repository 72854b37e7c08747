"""Extraction checks on digits: figures, baseline, time, resuming."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from gambeson.adapters.journal_files import FileJournal
from gambeson.audit.base import PROFILES, checks
from gambeson.core.errors import InsufficientEvidence
from gambeson.core.finding import Outcome, Severity
from tests.tiny_models import ScoreModel
from tests.unit.audit.checks.picture_worlds import DIGITS, ask, open_net, picture_context, value

EFFORT = replace(PROFILES["standard"], samples=100, steps=21)


@pytest.fixture(autouse=True)
def _short(monkeypatch):
    monkeypatch.setattr("gambeson.audit.checks.extraction_copies._UPDATES_PER_STEP", 5)


@pytest.fixture(scope="module")
def opaque(digits_net):
    net = open_net(digits_net)
    return ScoreModel(net.scores, (1, 8, 8), 10)


@pytest.mark.parametrize("name", ["extraction.labels", "extraction.scores"])
def test_a_copy_of_a_network_of_digits_is_nearly_the_network(name, opaque):
    finding = ask(name, opaque, effort=EFFORT)
    everything = len(DIGITS.splits["train"])
    assert finding.outcome is Outcome.FAILED
    assert finding.severity in (Severity.LOW, Severity.MEDIUM)
    assert value(finding, f"fidelity_at_{everything}_queries") > 0.85
    assert value(finding, "fidelity_at_500_queries") > 0.75
    assert value(finding, "fidelity_of_one_class") < 0.3
    assert 0.5 < value(finding, "fidelity_without_queries") <= 1
    assert finding.access == checks[name].facts.access
    (curve,) = finding.evidence.curves
    assert curve.series[0].x == (500.0, float(everything))


def test_a_model_that_answers_at_random_cannot_be_copied():
    def answer(x):
        digest = [hash(row.tobytes()) % 10 for row in x]
        return np.eye(10, dtype=np.float32)[digest]

    finding = ask("extraction.labels", ScoreModel(answer, (1, 8, 8), 10), effort=EFFORT)
    assert finding.outcome is Outcome.PASSED
    assert value(finding, "fidelity_at_500_queries") < 0.4


def test_a_resumed_check_trains_nothing_anew(opaque, tmp_path, monkeypatch):
    journal = FileJournal(tmp_path)
    first = ask("extraction.labels", opaque, effort=EFFORT, journal=journal)
    monkeypatch.setattr("gambeson.audit.checks.extraction_copies.learn", None)
    monkeypatch.setattr("gambeson.audit.checks.extraction_copies.choose_student", None)
    again = ask("extraction.labels", opaque, effort=EFFORT, journal=journal)
    assert again.measurements == first.measurements


def test_without_time_there_is_no_figure(opaque):
    made = picture_context("extraction.labels", opaque, effort=EFFORT, deadline=0.0, clock=lambda: 1.0)
    with pytest.raises(InsufficientEvidence, match="before one copy"):
        checks["extraction.labels"].plugin(made)


def test_time_that_runs_out_is_said(opaque):
    ticks = iter([0.0] * 9 + [2.0] * 500)
    made = picture_context(
        "extraction.labels", opaque, effort=EFFORT, deadline=1.0, clock=lambda: next(ticks)
    )
    (finding,) = checks["extraction.labels"].plugin(made)
    assert finding.cut == (f"no copy was trained on {len(DIGITS.splits['train'])} answers",)
    assert "fidelity_without_queries" not in {m.name for m in finding.measurements}


def test_where_labels_do_as_well_the_answers_are_worth_little():
    finding = ask("extraction.labels", ScoreModel(nearest_digit, (1, 8, 8), 10), effort=EFFORT)
    assert value(finding, "fidelity_without_queries") > 0.9
    assert finding.severity is Severity.LOW
    assert "worth nothing" in finding.summary


def test_a_model_that_labels_in_its_own_way_is_worth_copying():
    def shifted(x):
        return np.roll(nearest_digit(x), 1, axis=1)

    finding = ask("extraction.labels", ScoreModel(shifted, (1, 8, 8), 10), effort=EFFORT)
    assert value(finding, "fidelity_without_queries") < 0.1
    assert finding.severity is Severity.MEDIUM
    assert "worth nothing" not in finding.summary


def nearest_digit(x):
    """The class of the nearest training digit: nearly always the truth."""
    train_x, train_y = DIGITS.splits["train"].take(np.arange(len(DIGITS.splits["train"])))
    flat, known = x.reshape(len(x), -1), train_x.reshape(len(train_x), -1)
    distance = (flat**2).sum(1)[:, None] - 2 * flat @ known.T + (known**2).sum(1)
    return np.eye(10, dtype=np.float32)[train_y[distance.argmin(1)]]
