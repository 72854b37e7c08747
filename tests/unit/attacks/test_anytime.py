from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from gambeson.attacks.anytime import anytime_bound, still_falling
from gambeson.attacks.ensemble import run_in_turn, stage
from gambeson.attacks.geometry import PerturbationSet
from gambeson.attacks.harness import Run
from gambeson.attacks.robustness import measure_robustness
from gambeson.core.reproduce import Seed
from gambeson.core.threat import Norm, ThreatModel
from gambeson.models.passes import Passes
from tests.tiny_models import perceptron
from tests.unit.attacks.test_harness import SCHEMA, samples

STAGES = (stage("pgd", "first", steps=2), stage("pgd", "second", steps=20))


def measured(eps=0.08, **run):
    space = PerturbationSet.of(ThreatModel(Norm.LINF, eps), SCHEMA)
    return measure_robustness(STAGES, Passes(perceptron()), samples(), space, run=Run(Seed(0), **run))


def test_the_bound_starts_at_clean_accuracy_never_rises_and_ends_at_robust_accuracy():
    result = measured()
    bound = anytime_bound(result)
    assert bound.passes[0] == 0
    assert bound.standing[0] == len(result.attacked)
    assert (np.diff(bound.standing) <= 0).all()
    assert (np.diff(bound.passes) > 0).all()
    assert bound.standing[-1] == result.robust_accuracy.value * len(result.samples)
    assert bound.spent * len(result.attacked) == pytest.approx(result.outcome.queries.sum())


def test_the_bound_at_the_end_of_a_stage_is_what_the_stage_left():
    result = measured()
    bound = anytime_bound(result)
    assert [label for label, _ in bound.stages] == ["first", "second"]
    first = bound.standing[np.searchsorted(bound.passes, bound.stages[0][1] + 1e-9) - 1]
    assert first == len(result.attacked) - result.outcome.records[0].fell


def test_a_run_that_was_cut_short_has_the_bound_so_far():
    ticks = iter(range(1_000))
    whole, cut = measured(), measured(deadline=6, clock=lambda: next(ticks))
    assert cut.outcome.unfinished > 0
    assert anytime_bound(cut).spent < anytime_bound(whole).spent
    assert anytime_bound(cut).standing[-1] >= anytime_bound(whole).standing[-1]


def with_falls(at, spent, n=100):
    result = measured()
    fallen = np.arange(n) < len(at)
    outcome = replace(
        result.outcome,
        fallen=fallen,
        fell_at=np.where(fallen, np.resize(np.array([*at, 0.0]), n), np.inf),
        queries=np.full(n, spent),
    )
    return replace(result, attacked=np.arange(n), outcome=outcome, samples=Rows(n))


class Rows:
    def __init__(self, n):
        self.n = n

    def __len__(self):
        return self.n


def test_the_rate_counts_the_falls_of_the_last_tenth_of_the_spend():
    rate = still_falling(with_falls([10, 50, 179.9, 185, 200], 200))
    assert rate.value == pytest.approx(2 / 100 * 100 / 20 * 100)
    assert rate.interval.low < rate.value < rate.interval.high
    assert rate.n == 100


def test_a_bound_that_has_settled_has_the_rate_zero():
    assert still_falling(with_falls([1, 2, 3], 200)).value == 0


def test_where_nothing_was_spent_there_is_no_rate():
    result = with_falls([], 0)
    assert still_falling(result) is None
    assert anytime_bound(result).passes.tolist() == [0.0]


def test_it_does_not_depend_on_the_batch_size():
    space = PerturbationSet.of(ThreatModel(Norm.LINF, 0.08), SCHEMA)
    a, b = (
        run_in_turn(STAGES, Passes(perceptron(), rows), samples(), space, run=Run(Seed(0))).fell_at
        for rows in (8, 64)
    )
    assert np.array_equal(a, b)


def test_a_tenth_of_less_than_one_pass_has_no_rate():
    assert still_falling(with_falls([1, 2], 9)) is None
    assert still_falling(with_falls([1, 10], 10)) is not None
