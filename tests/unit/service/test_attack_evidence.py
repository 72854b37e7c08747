from __future__ import annotations

import numpy as np
import pytest
import torch

from gambeson.attacks.ensemble import stage
from gambeson.attacks.geometry import PerturbationSet
from gambeson.attacks.harness import Run, Samples
from gambeson.attacks.robustness import measure_robustness
from gambeson.core.reproduce import Seed
from gambeson.core.threat import Access, ThreatModel
from gambeson.models.passes import Passes
from gambeson.service.attack_commands import AttackCommand
from gambeson.service.attack_evidence import attack_report, median_figure, threat_in_words
from tests.unit.audit.checks.evasion_worlds import DISTANCES, SCHEMA, X, Y, context

MODEL = context().model


def report(stages, eps=0.25, nearest=False, access=Access.GRADIENT, **run):
    threat = ThreatModel(eps=eps, access=access)
    space = PerturbationSet.of(threat, SCHEMA)
    found = measure_robustness(
        stages,
        Passes(MODEL),
        Samples(torch.from_numpy(X), torch.from_numpy(Y), np.arange(len(Y))),
        space.with_eps(float("inf")) if nearest else space,
        run=Run(Seed(0), **run),
    )
    command = AttackCommand(("it",), "m", "d", threat=threat, nearest=nearest)
    return attack_report(command, "it", stages, found, Passes(MODEL), SCHEMA)


def kinds(exhibits):
    return [exhibit.kind for exhibit in exhibits]


def test_within_a_radius_it_shows_the_bound_and_the_classes():
    found = report([stage("pgd", steps=5)])
    assert kinds(found.evidence.curves) == ["robust_accuracy_by_passes"]
    assert kinds(found.evidence.bars) == ["accuracy_by_class"]
    assert found.evidence.tables == () == found.evidence.histograms
    assert found.evidence.examples


def test_several_stages_are_compared():
    found = report([stage("fgsm"), stage("pgd", steps=5)])
    assert kinds(found.evidence.tables) == ["stages"]


def test_an_attack_on_scores_is_drawn_by_queries():
    found = report([stage("square", queries=30)], access=Access.SCORES)
    assert kinds(found.evidence.curves) == ["robust_accuracy_by_queries"]


def test_the_nearest_inputs_give_a_histogram_and_the_whole_curve_over_eps():
    found = report([stage("fmn", steps=200)], nearest=True)
    assert kinds(found.evidence.histograms) == ["distance"]
    assert kinds(found.evidence.bars) == ["distance_by_class"]
    (curve,) = found.evidence.curves
    line = curve.series[0]
    for eps in (0.1, 0.2, 0.4):
        at = np.searchsorted(line.x, eps, side="right") - 1
        assert line.y[at] == pytest.approx((eps < DISTANCES).mean(), abs=0.05)
    middle = next(m for m in found.measurements if m.name == "median_distance")
    assert middle.value == pytest.approx(np.median(DISTANCES), abs=0.01)
    assert {m.name for m in found.measurements} == {
        "clean_accuracy", "attack_success_rate", "median_distance", "median_queries",
    }  # fmt: skip


def test_what_time_cut_is_said():
    found = report([stage("pgd", steps=5)], deadline=0.0, clock=lambda: 1.0)
    assert found.cut == ("pgd did not run to its end on any of 48 inputs",)


def test_the_nearest_has_no_radius_in_words():
    assert threat_in_words(AttackCommand(("x",), "m", "d", nearest=True)) == "linf, nearest, gradient access"
    assert "eps" in threat_in_words(AttackCommand(("x",), "m", "d"))


def test_a_median_of_one_value_has_no_interval():
    assert median_figure("m", np.array([2.0]), "queries", Seed(0)).interval is None
    assert median_figure("m", np.arange(9.0), "queries", Seed(0)).interval.low < 4
