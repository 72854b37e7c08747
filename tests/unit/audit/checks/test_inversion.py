"""Model inversion checks: a model that shows its classes fails, one that answers the same to all passes."""

from __future__ import annotations

from dataclasses import replace

import pytest

from gambeson.adapters.journal_files import FileJournal
from gambeson.audit.base import checks
from gambeson.core.errors import InsufficientEvidence
from gambeson.core.finding import Outcome, Severity
from gambeson.core.threat import Access, Norm, ThreatModel
from gambeson.data.dataset import ArraySplit
from tests.inversion_worlds import PatternModel
from tests.tiny_models import ScoreModel
from tests.unit.audit.checks.inversion_context import ask, context_for, dataset
from tests.unit.audit.checks.picture_worlds import value

NAMES = ["privacy.inversion", "privacy.inversion_scores", "privacy.inversion_labels"]


@pytest.fixture(autouse=True)
def small(monkeypatch):
    """Five plain patterns need no long training."""
    monkeypatch.setattr("gambeson.audit.checks.inversion_ground._UPDATES", (50, 50, 50))
    monkeypatch.setattr("gambeson.audit.checks.inversion_ground._STEPS", (25, 25, 25))


@pytest.mark.parametrize("name", NAMES)
def test_a_model_that_shows_its_classes_fails(name):
    finding = ask(name)
    assert finding.outcome is Outcome.FAILED
    assert finding.severity is Severity.MEDIUM
    assert value(finding, "top1") > 0.7
    assert value(finding, "top1_without_model") < 0.1
    assert value(finding, "judge_accuracy") > 0.95
    assert value(finding, "likeness_to_class_mean") > value(finding, "likeness_without_model")
    assert "rather than single records" in finding.summary
    (grid,) = finding.evidence.grids
    assert grid.labels == ("a", "b", "c", "d", "e")
    assert all(len(row) == len(grid.head) for row in grid.rows)


@pytest.mark.parametrize("name", NAMES)
def test_a_model_that_answers_the_same_to_all_passes(name):
    finding = ask(name, PatternModel(blind=True))
    assert finding.outcome is Outcome.PASSED
    assert finding.remedy == ""


def test_without_training_records_nothing_is_said_of_them():
    finding = ask("privacy.inversion", train_split=None)
    assert finding.outcome is Outcome.FAILED
    assert "nearer_to_training_record" not in {m.name for m in finding.measurements}
    assert "cannot be said" in finding.summary


def test_a_judge_that_learnt_other_labels_is_not_believed():
    data = dataset()
    train = data.splits["train"]
    turned = {**data.splits, "train": ArraySplit(train.x, (train.y + 1) % 5)}
    with pytest.raises(InsufficientEvidence, match="half way from chance"):
        ask("privacy.inversion", data=replace(data, splits=turned))


def test_a_resumed_check_trains_and_asks_nothing_anew(tmp_path, monkeypatch):
    journal = FileJournal(tmp_path)
    first = ask("privacy.inversion_scores", journal=journal)
    monkeypatch.setattr("gambeson.audit.checks.inversion_ground.train_judge", None)
    silent = ScoreModel(lambda x: pytest.fail("asked"), (1, 8, 8), 5)
    again = ask("privacy.inversion_scores", silent, journal=journal)
    assert again.measurements == first.measurements


def test_the_checks_of_an_audit_share_one_judge(tmp_path, monkeypatch):
    journal = FileJournal(tmp_path)
    first = ask("privacy.inversion", journal=journal)
    monkeypatch.setattr("gambeson.audit.checks.inversion_ground.train_judge", None)
    second = ask("privacy.inversion_labels", journal=journal)
    assert second.measurement("judge_accuracy") == first.measurement("judge_accuracy")


def test_without_time_there_is_no_figure():
    made = context_for("privacy.inversion", deadline=0.0, clock=lambda: 1.0)
    with pytest.raises(InsufficientEvidence, match="Time ran out"):
        checks["privacy.inversion"].plugin(made)


def test_too_small_a_query_budget_finds_less():
    few = ThreatModel(Norm.LINF, 0.1, access=Access.SCORES, queries=2)
    assert value(ask("privacy.inversion_scores", threat=few), "top1") < 0.9
