"""Probes stay valid inputs and do not depend on any model."""

from __future__ import annotations

import numpy as np

from gambeson.attacks.ownership.probes import draw_probes
from gambeson.core.reproduce import Seed
from gambeson.data.schema import Schema
from tests import tables
from tests.attribute_world import SCHEMA, people


def test_pictures_come_plain_blended_and_noisy_within_bounds():
    x = np.random.default_rng(0).random((20, 1, 5, 5)).astype(np.float32)
    found = draw_probes(x, Schema((1, 5, 5), ("a", "b")), Seed(0))
    assert list(found) == ["plain", "blended", "noisy"]
    assert [len(rows) for rows in found.values()] == [20, 80, 20]
    for rows in found.values():
        assert rows.dtype == np.float32
        assert rows.min() >= 0
        assert rows.max() <= 1
    assert not np.array_equal(found["blended"][:20], found["blended"][20:40])


def test_categories_are_those_of_one_of_the_two_rows():
    x = people(50, 1).x
    for rows in draw_probes(x, SCHEMA, Seed(0)).values():
        assert set(np.unique(rows[:, 2])) <= {0.0, 1.0}
    assert 0 < (draw_probes(x, SCHEMA, Seed(0))["blended"][:50, 2] != x[:, 2]).mean() < 1


def test_rows_with_one_hot_groups_stay_as_they_are():
    assert list(draw_probes(tables.rows(30), tables.schema(), Seed(0))) == ["plain"]


def test_the_same_seed_draws_the_same():
    x = people(50, 1).x
    one, two = (draw_probes(x, SCHEMA, Seed(3)) for _ in range(2))
    assert all(np.array_equal(one[name], two[name]) for name in one)
