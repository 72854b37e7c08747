"""What a hardening run says of itself."""

from __future__ import annotations

import json
from dataclasses import replace

from gambeson.audit.result import Subject, Times
from gambeson.core.finding import Evidence
from gambeson.core.stats import proportion
from gambeson.service.hardening_report import Candidate, HardenRun


def candidate(name: str, improved: bool) -> Candidate:
    figures = (proportion("robust_accuracy", 5, 10),)
    return Candidate(name, Subject("m", "sha256:1"), "a", figures, "", improved, None, Evidence())


def run(*improved: bool) -> HardenRun:
    made = tuple(candidate(str(i), flag) for i, flag in enumerate(improved))
    before = candidate("before", False)
    return HardenRun(
        "0", Subject("d", "sha256:2"), "c", 0, "t", before, made, Evidence(), False, Times("", 1.0)
    )


def test_one_recipe_that_helps_is_enough():
    assert run(False, True).improved
    assert not run(False, False).improved
    assert not run().improved


def test_a_figure_that_was_not_measured_is_none():
    assert candidate("a", True).figure("auc") is None
    assert candidate("a", True).figure("robust_accuracy").value == 0.5


def test_json_holds_every_candidate():
    assert [c["improved"] for c in json.loads(run(True, False).to_json())["candidates"]] == [True, False]


def test_a_model_whose_robust_accuracy_is_unknown_leaves_the_run_unmeasured():
    assert run(True).measured
    assert not replace(run(True), before=replace(candidate("before", False), measurements=())).measured
