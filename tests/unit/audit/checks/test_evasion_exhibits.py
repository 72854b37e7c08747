from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from gambeson.attacks.ensemble import stage
from gambeson.attacks.geometry import PerturbationSet
from gambeson.attacks.harness import Run, Samples
from gambeson.attacks.robustness import measure_robustness
from gambeson.audit.checks.evasion_exhibits import (
    accuracy_by_class,
    accuracy_by_passes,
    accuracy_by_queries,
    broken_within,
    distance_histogram,
    stages_compared,
)
from gambeson.core.reproduce import Seed
from gambeson.models.passes import Passes
from tests.unit.audit.checks.evasion_worlds import SCHEMA, X, Y, context, standing

EPS = 0.21


@pytest.fixture(scope="module")
def result():
    made = context(eps=EPS)
    stages = (stage("pgd", "short", steps=1, random_start=False), stage("pgd", "long", steps=20))
    space = PerturbationSet.of(made.threat, SCHEMA)
    samples = Samples(torch.from_numpy(X), torch.from_numpy(Y), np.arange(len(Y)))
    return measure_robustness(stages, Passes(made.model), samples, space, run=Run(Seed(0)))


def test_the_staircase_goes_from_clean_to_robust_accuracy_with_the_stage_between(result):
    curve = accuracy_by_passes(result)
    bound = curve.series[0]
    assert bound.y[0] == 1.0
    assert bound.y[-1] == standing(EPS) == result.robust_accuracy.value
    assert [mark.name for mark in curve.marks] == ["short"]
    assert 0 < curve.marks[0].x < bound.x[-1]
    assert all(low <= y <= high for low, y, high in zip(bound.low, bound.y, bound.high, strict=True))


def test_within_so_many_queries_so_many_fall(result):
    bound = accuracy_by_queries(result).series[0]
    queries, fallen = result.outcome.queries, result.outcome.fallen
    for x, y in zip(bound.x, bound.y, strict=True):
        assert y == pytest.approx(1 - (queries[fallen] <= x).mean() * fallen.mean())


def test_every_class_has_its_own_count_and_interval(result):
    bars = accuracy_by_class(result, ("low", "high"))
    clean, robust = bars.series
    assert bars.labels == ("low", "high")
    assert clean.n == robust.n == (24, 24)
    assert clean.values == (1.0, 1.0)
    fallen = np.isin(np.arange(48), result.attacked[result.outcome.fallen])
    assert robust.values == pytest.approx([(~fallen[c == Y]).mean() for c in (0, 1)])
    assert all(low <= v <= high for low, v, high in zip(robust.low, robust.values, robust.high, strict=True))


def test_of_many_classes_the_weakest_are_shown_and_a_class_without_samples_never(result):
    y = torch.arange(48) + 1
    many = replace(result, samples=replace(result.samples, y=y))
    bars = accuracy_by_class(many, tuple(str(i) for i in range(60)))
    assert len(bars.labels) == 24
    assert "24 weakest of 48" in bars.title
    assert max(bars.series[1].values) <= 1
    assert sum(bars.series[1].values) == 24 - min(24, int(result.outcome.fallen.sum()))


def test_the_table_accounts_for_every_break_and_every_pass(result):
    table = stages_compared(result)
    assert [row[0] for row in table.rows] == ["short", "long"]
    assert sum(row[2] for row in table.rows) == result.outcome.fallen.sum()
    assert sum(row[4] for row in table.rows) == result.outcome.queries.sum()
    assert sum(row[5] for row in table.rows) == pytest.approx(100, abs=0.02)
    assert table.rows[-1][-1] == pytest.approx(100 * result.robust_accuracy.value, abs=0.01)
    assert table.rows[0][3] == pytest.approx(table.rows[0][4] / table.rows[0][1])


def test_a_single_stage_needs_no_comparison(result):
    alone = replace(result, outcome=replace(result.outcome, records=result.outcome.records[:1]))
    assert stages_compared(alone) is None


def test_the_histogram_holds_every_distance_and_marks_the_median(result):
    histogram = distance_histogram(result, "linf")
    assert sum(histogram.counts) == result.outcome.fallen.sum()
    assert histogram.edges[-1] == pytest.approx(EPS, rel=1e-3)
    found = result.outcome.distance[result.outcome.fallen]
    assert histogram.marks[0].x == pytest.approx(np.median(found), rel=1e-4)


def test_nothing_found_and_nothing_spent_draw_nothing(result):
    outcome = replace(
        result.outcome, fallen=np.zeros(48, bool), queries=np.zeros(48, np.int64), fell_at=np.full(48, np.inf)
    )
    nothing = replace(result, outcome=outcome)
    assert distance_histogram(nothing, "linf") is None
    assert accuracy_by_queries(nothing) is None
    assert accuracy_by_passes(nothing) is None


def test_what_falls_between_two_radii_is_the_difference():
    bars = broken_within([0.0, 0.1, 0.2], [0, 3, 7], 10, "linf")
    assert bars.labels == ("≤ 0.1", "≤ 0.2", "> 0.2")
    assert bars.series[0].values == (3.0, 4.0, 3.0)
