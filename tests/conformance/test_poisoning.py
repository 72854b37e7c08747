"""Every registered poisoning attack passes the suite; attacks planted to cheat do not."""

from __future__ import annotations

import numpy as np
import pytest

from gambeson.attacks.poisoning.base import Changes, PoisoningFacts, poisonings
from tests.conformance.poisoning_suite import violations

FACTS = PoisoningFacts(goal="availability", changes="labels", pictures=True, tables=True, source="planted")
QUICK = {
    "feature_collision": {"steps": 5},
    "gradient_matching": {"steps": 3},
    "clean_label": {"steps": 3, "size": 2},
    "bias": {"feature": "city", "value": "Bonn"},
    "subpopulation": {"clusters": 6},
}


@pytest.mark.parametrize("name", poisonings.names())
def test_registered_attack_conforms(name):
    entry = poisonings[name]
    assert violations(lambda: entry.plugin(**QUICK.get(name, {})), entry.facts) == []


class ChangesMoreThanItMay:
    def poison(self, task):
        rows = np.arange(len(task.y))
        return Changes(rows, task.x, (task.y + 1) % len(task.schema.classes))


class ChangesInputsInSecret:
    def poison(self, task):
        rows = task.draw(np.ones(len(task.y), bool))
        return Changes(rows, task.x[rows] * 0.5, task.y[rows])


class LeavesTheBounds:
    def poison(self, task):
        rows = task.draw(np.ones(len(task.y), bool))
        return Changes(rows, task.x[rows] + 1e3, task.y[rows])


class WritesIntoItsInput:
    def poison(self, task):
        task.y[:3] = 0
        rows = task.draw(np.ones(len(task.y), bool))
        return Changes(rows, task.x[rows], (task.y[rows] + 1) % len(task.schema.classes))


class DrawsFromTheSystem:
    def poison(self, task):
        rows = np.sort(np.random.default_rng().permutation(len(task.y))[: task.budget])
        return Changes(rows, task.x[rows], (task.y[rows] + 1) % len(task.schema.classes))


class InventsAClass:
    def poison(self, task):
        rows = task.draw(np.ones(len(task.y), bool))
        return Changes(rows, task.x[rows], task.y[rows] + 99)


CHEATS = [
    (ChangesMoreThanItMay, "changes 240"),
    (ChangesInputsInSecret, "changes inputs although"),
    (LeavesTheBounds, "leaves the bounds"),
    (WritesIntoItsInput, "writes into its input"),
    (DrawsFromTheSystem, "other data under the same seed"),
    (InventsAClass, "no classes"),
]


@pytest.mark.parametrize(("cheat", "caught"), CHEATS)
def test_a_cheat_is_caught(cheat, caught):
    assert any(caught in said for said in violations(cheat, FACTS))
