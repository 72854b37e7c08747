"""Figures of attribute inference, by hand."""

from __future__ import annotations

import numpy as np
import pytest

from gambeson.audit.checks.attributes_evidence import Guessed, leak_of, leak_table, measurements

INSIDE = np.arange(200) < 100


def right(inside: int, outside: int) -> np.ndarray:
    """(200,) right in so many of the first and of the last hundred."""
    places = np.arange(200)
    return np.where(places < 100, places < inside, places - 100 < outside)


def leak(**changes):
    guessed = Guessed(
        {"marginals": right(50, 50), "imputation": right(60, 60)},
        {"posterior": right(70, 62), "csmia": right(65, 80)},
    )
    return leak_of("sex", guessed, changes.pop("inside", INSIDE), knows_label=True, tests=2)


def test_the_best_guess_with_the_model_is_set_against_the_best_without_on_members():
    found = leak()
    assert (found.attack, found.baseline.value, found.attacked.value) == ("posterior", 0.6, 0.7)
    assert found.advantage.value == pytest.approx(0.1)
    assert found.advantage.n == 100
    assert found.advantage.interval.low < 0.1 < found.advantage.interval.high
    assert found.memorised.value == pytest.approx(0.1 - 0.02)
    assert "Bonferroni over 4" in found.advantage.interval.method


def test_without_members_the_others_are_measured():
    found = leak(inside=np.zeros(200, bool))
    assert found.memorised is None
    assert (found.attack, found.advantage.value) == ("csmia", pytest.approx((145 - 120) / 200))


def test_more_tests_make_wider_intervals():
    guessed = Guessed({"marginals": right(50, 50)}, {"posterior": right(70, 62)})
    one, many = (leak_of("sex", guessed, INSIDE, knows_label=False, tests=k) for k in (1, 20))
    assert many.advantage.interval.low < one.advantage.interval.low


def test_the_largest_figures_come_first_under_plain_names():
    found = measurements([leak()])
    assert [m.name for m in found[:3]] == ["advantage", "memorised", "sex.with_label.advantage"]
    assert found[0].detail.startswith("sex.with_label.advantage: posterior over imputation")


def test_the_table_shows_intervals_and_unknown_cells():
    table = leak_table([leak(), leak(inside=np.zeros(200, bool))])
    assert table.rows[0][6].startswith("+0.100 [")
    assert table.rows[1][-1] is None
