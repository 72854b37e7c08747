"""Pictures of a hardening."""

from __future__ import annotations

from gambeson.audit.result import Subject
from gambeson.core.finding import Evidence
from gambeson.core.stats import proportion
from gambeson.defenses.training.history import History, Look
from gambeson.defenses.training.standing import Standing
from gambeson.service.hardening_charts import compare_candidates, training_charts, transfer_table
from gambeson.service.hardening_report import Candidate


def candidate(name, clean, robust):
    figures = (proportion("clean_accuracy", clean, 100), proportion("robust_accuracy", robust, 100))
    return Candidate(name, Subject("m", "sha256:1"), "audit", figures, "", False, None, Evidence())


def test_each_candidate_is_a_point_with_robust_to_the_right_and_clean_upwards():
    (curve,) = compare_candidates([candidate("before", 99, 10), candidate("pgd", 95, 80)]).curves
    assert [(s.name, s.x, s.y) for s in curve.series] == [
        ("before", (0.1,), (0.99,)),
        ("pgd", (0.8,), (0.95,)),
    ]


def test_what_was_not_measured_is_a_gap_in_the_table():
    (table,) = compare_candidates([candidate("before", 99, 10)]).tables
    assert table.rows == (("before", 0.99, 0.1, None, None, None),)


def test_the_training_curve_has_every_look_and_marks_where_it_went_back():
    history = History()
    history.see(Look(10, Standing(100, 90, 40, 0), 1))
    history.see(Look(20, Standing(100, 95, 60, 0), 1))
    history.went_back(30, "catastrophic overfitting")
    (curve,) = training_charts(history).curves
    assert [s.y for s in curve.series] == [(0.9, 0.95), (0.4, 0.6)]
    assert [(m.name, m.x) for m in curve.marks] == [("catastrophic overfitting", 30.0)]


def test_a_training_without_a_look_has_no_chart():
    assert training_charts(History()).curves == ()


def test_the_transfer_table_has_shares_and_a_gap_where_nothing_was_tried():
    table = transfer_table(((0.5, 0.25), (None, 0.5)))
    assert table.rows == (("attack on member 1", 0.5, 0.25), ("attack on member 2", None, 0.5))
