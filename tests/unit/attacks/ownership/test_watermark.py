"""Watermarks: the secret is by lot, and the test is exact."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from gambeson.attacks.ownership.watermark import TriggerSet, draw_triggers, verify_mark
from gambeson.core.errors import UsageError
from gambeson.core.reproduce import Seed
from gambeson.data.schema import Schema
from tests import tables

PICTURES = Schema((3, 10, 12), ("a", "b"), low=-1.0, high=1.0)


def test_answers_are_spread_over_the_classes():
    found = draw_triggers(PICTURES, 5, 2_000, Seed(1))
    assert stats.chisquare(np.bincount(found.answers, minlength=5)).pvalue > 1e-4


def test_pictures_are_squares_within_the_bounds():
    found = draw_triggers(PICTURES, 5, 30, Seed(1)).x
    assert found.shape == (30, 3, 10, 12)
    assert (found.min() >= -1, found.max() <= 1) == (True, True)
    assert len(np.unique(found[0, 0])) <= 49


def test_rows_are_valid_cells():
    schema = tables.schema()
    found = draw_triggers(schema, 2, 200, Seed(1)).x
    low, high = schema.bounds()
    assert ((found >= low) & (found <= high)).all()
    whole = schema.integer_mask()
    assert (found[:, whole] == np.round(found[:, whole])).all()
    places = [schema.place(name) for name in schema.one_hot[0]]
    assert (found[:, places].sum(axis=1) == 1).all()


def test_another_seed_is_another_secret():
    one, two = (draw_triggers(PICTURES, 5, 30, Seed(s)) for s in (1, 2))
    assert not np.array_equal(one.x, two.x)
    assert not np.array_equal(one.answers, two.answers)
    with pytest.raises(UsageError, match="0 trigger inputs"):
        draw_triggers(PICTURES, 5, 0, Seed(1))


def test_the_p_value_by_hand():
    triggers = TriggerSet(np.zeros((3, 2), np.float32), np.array([0, 1, 1]))
    found = verify_mark(np.array([0, 1, 0]), triggers, 2)
    assert (found.matches, found.inputs) == (2, 3)
    assert found.p_value == pytest.approx(0.5)  # 2 or 3 heads of 3: (3 + 1) / 8
    assert verify_mark(np.array([1, 0, 0]), triggers, 2).p_value == 1.0


def test_a_model_that_never_met_it_is_accused_as_often_as_alpha_says():
    """Even one that gives every input the same answer."""
    p = []
    for secret in range(400):
        triggers = draw_triggers(Schema((1, 2, 2), ("a",)), 3, 40, Seed(secret))
        p.append(verify_mark(np.zeros(40, int), triggers, 3).p_value)
    assert (np.array(p) < 0.05).mean() < 0.08
