"""A pool holds members, and non-members that really are none."""

from __future__ import annotations

import numpy as np
import pytest

from gambeson.attacks.privacy import pool as module
from gambeson.attacks.privacy.pool import draw_pool
from gambeson.core.reproduce import Seed
from gambeson.data.dataset import ArraySplit
from tests.membership_worlds import records

MEMBERS, OTHERS = records(90, 1), records(70, 2)


def contents(pool):
    x, y = zip(*pool.batches(), strict=True)
    return np.concatenate(x), np.concatenate(y)


@pytest.mark.parametrize("block", [1, 7, 1_024])
def test_members_come_first_and_rows_keep_their_labels(monkeypatch, block):
    monkeypatch.setattr(module, "_ROWS_AT_ONCE", block)
    pool = draw_pool(MEMBERS, OTHERS, 40, Seed(0))
    x, y = contents(pool)
    assert len(pool) == len(x) == 80
    np.testing.assert_array_equal(x[:40], MEMBERS.x[pool.member_rows])
    np.testing.assert_array_equal(x[40:], OTHERS.x[pool.nonmember_rows])
    np.testing.assert_array_equal(y, pool.labels)
    assert pool.truth.tolist() == [True] * 40 + [False] * 40


def test_any_rows_can_be_taken():
    pool = draw_pool(MEMBERS, OTHERS, 40, Seed(0))
    x, y = contents(pool)
    for rows in ([0, 3, 39], [40, 79], [1, 5, 44, 60], range(80)):
        some_x, some_y = pool.take(np.array(rows))
        np.testing.assert_array_equal(some_x, x[list(rows)])
        np.testing.assert_array_equal(some_y, y[list(rows)])


def test_fewer_records_than_asked_for_are_all_taken():
    pool = draw_pool(MEMBERS, OTHERS, 80, Seed(0))
    assert (len(pool.member_rows), len(pool.nonmember_rows)) == (80, 70)


def test_a_nonmember_that_occurs_among_the_training_records_is_left_out_even_if_that_one_is_not_drawn():
    x = np.concatenate([MEMBERS.x[:25], OTHERS.x])
    mixed = ArraySplit(x, np.zeros(95, np.int64))
    pool = draw_pool(MEMBERS, mixed, 10, Seed(0))
    assert pool.removed == 25
    assert pool.nonmember_rows.min() >= 25
    assert draw_pool(MEMBERS, mixed, 200, Seed(0)).nonmember_rows.tolist() == list(range(25, 95))


def test_equal_splits_leave_no_nonmember():
    pool = draw_pool(MEMBERS, MEMBERS, 10, Seed(0))
    assert (len(pool.nonmember_rows), pool.removed) == (0, 90)


def test_the_same_seed_draws_the_same_records_and_another_one_others():
    one, same, other = (draw_pool(MEMBERS, OTHERS, 20, Seed(s)) for s in (0, 0, 1))
    np.testing.assert_array_equal(one.member_rows, same.member_rows)
    np.testing.assert_array_equal(one.nonmember_rows, same.nonmember_rows)
    assert not np.array_equal(one.member_rows, other.member_rows)
