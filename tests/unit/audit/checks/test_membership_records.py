"""Every membership check of an audit asks about the same records."""

from __future__ import annotations

import numpy as np

from gambeson.audit.base import CheckContext, Effort
from gambeson.audit.checks.membership_records import candidate_pool
from gambeson.core.reproduce import Seed
from gambeson.core.threat import ThreatModel
from tests.membership_worlds import Nearest, dataset, records

EFFORT = Effort(samples=10, steps=1, targets=1, queries=1, curve=(), references=2, records=40)
TRAIN, TEST = records(100, 1), records(90, 2)


def pool(check, seed=0):
    return candidate_pool(
        CheckContext(
            check=check,
            model=Nearest(TRAIN.x, TRAIN.y),
            data=dataset(TRAIN, TEST),
            threat=ThreatModel(),
            effort=EFFORT,
            seed=Seed(seed).child(check),
        )
    )


def test_two_checks_draw_the_same_records():
    one, two = pool("privacy.membership"), pool("privacy.membership_labels")
    np.testing.assert_array_equal(one.member_rows, two.member_rows)
    np.testing.assert_array_equal(one.nonmember_rows, two.nonmember_rows)
    assert (len(one.member_rows), len(one.nonmember_rows)) == (40, 40)


def test_another_seed_draws_others():
    assert not np.array_equal(pool("a").member_rows, pool("a", seed=1).member_rows)
