from __future__ import annotations

from dataclasses import astuple
from itertools import pairwise

from gambeson.audit.base import PROFILES, CheckContext
from gambeson.core.reproduce import Seed
from gambeson.core.threat import ThreatModel


def test_each_profile_works_at_least_as_hard_as_the_one_before():
    efforts = [[v for v in astuple(p) if isinstance(v, int)] for p in PROFILES.values()]
    for less, more in pairwise(efforts):
        assert all(a <= b for a, b in zip(less, more, strict=True))
        assert less != more


def test_time_is_up_at_the_deadline_and_never_without_one():
    def context(deadline):
        return CheckContext(
            "c", None, None, ThreatModel(), PROFILES["quick"], Seed(0), deadline=deadline, clock=lambda: 5.0
        )

    assert [context(d).time_is_up for d in (None, 4.0, 5.0, 6.0)] == [False, True, True, False]
