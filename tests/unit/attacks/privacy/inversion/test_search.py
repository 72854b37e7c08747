"""The evolution strategy."""

from __future__ import annotations

import pytest

from gambeson.attacks.privacy.inversion.base import log_odds
from gambeson.attacks.privacy.inversion.search import Search, _utilities
from gambeson.core.threat import Access
from tests.inversion_worlds import PatternModel, oracle_for, task_for


def test_weights_sum_to_0_and_favour_the_best():
    weights = _utilities(24)
    assert float(weights.sum()) == pytest.approx(0, abs=1e-6)
    assert weights.tolist() == sorted(weights.tolist(), reverse=True)


def test_longer_searches_find_likelier_inputs():
    odds = []
    for steps in (2, 40):
        task = task_for([0, 1, 2], steps=steps)
        x = Search().reconstruct(oracle_for(task, Access.SCORES), task)
        odds.append(float(log_odds(PatternModel().forward(x), task.classes).mean()))
    assert odds[1] > odds[0] + 1


def test_queries_are_steps_times_population():
    task = task_for([0, 1], steps=3)
    oracle = oracle_for(task, Access.SCORES)
    Search(population=8).reconstruct(oracle, task)
    assert oracle.queries.tolist() == [24, 24]
