from __future__ import annotations

import json
from dataclasses import replace

import pytest

from gambeson.audit.result import Subject, Times
from gambeson.core.finding import Evidence
from gambeson.core.measurement import Measurement
from gambeson.service.attack_report import AttackReport, AttackRun, Picture

RUN = AttackRun(
    tool="0",
    model=Subject("m", "sha256:1"),
    data=Subject("d", "sha256:2"),
    command="gambeson attack pgd m --data d",
    seed=0,
    attacks=(
        AttackReport(
            "pgd",
            "linf eps=0.1, gradient access",
            (Measurement("robust_accuracy", 0.5, "fraction", 10),),
            (),
            pictures=(Picture(3, "cat", "cat", "dog", "cat", False, True),),
        ),
    ),
    together=(),
    comparison=None,
    evidence=Evidence(),
    interrupted=False,
    times=Times("2026-01-01T00:00:00+00:00", 1.0),
)


def test_json_holds_everything_under_its_name():
    tree = json.loads(RUN.to_json())
    assert tree["attacks"][0]["measurements"][0]["value"] == 0.5
    assert tree["attacks"][0]["pictures"][0]["still_fools"] is False
    assert tree["comparison"] is None


def test_all_that_depends_on_the_clock_stands_under_times():
    later = replace(RUN, times=Times("2027-01-01T00:00:00+00:00", 9.0))
    before, after = json.loads(RUN.to_json()), json.loads(later.to_json())
    assert before.pop("times") != after.pop("times")
    assert before == after


def test_a_figure_that_is_not_finite_is_never_written():
    bad = replace(RUN, together=(Measurement("x", float("inf"), "fraction", 1),))
    with pytest.raises(ValueError, match="not JSON compliant"):
        bad.to_json()
