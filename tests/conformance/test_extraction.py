"""Every registered extraction attack passes the suite; attacks planted to break a rule do not."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from gambeson.attacks.extraction.active import Active
from gambeson.attacks.extraction.base import extraction
from gambeson.attacks.extraction.knockoff import Knockoff
from gambeson.attacks.extraction.student import learn
from tests.conformance.extraction_suite import violations

FACTS = extraction["knockoff"].facts


@pytest.mark.parametrize("name", extraction.names())
def test_registered_attack_conforms(name):
    assert violations(extraction[name].plugin, extraction[name].facts) == []


@pytest.mark.parametrize("rule", ["entropy", "k_center"])
def test_every_rule_of_active_learning_conforms(rule):
    assert violations(lambda: Active(rule=rule), extraction["active"].facts) == []


class GoesAroundItsPurse:
    def extract(self, purse, theft):
        purse._passes.scores(theft.x)
        return Knockoff().extract(purse, theft)


class AsksOutsideTheBounds:
    def extract(self, purse, theft):
        return Knockoff().extract(purse, replace(theft, x=2 * theft.x))


class WantsScores:
    def extract(self, purse, theft):
        purse._oracle.scores(theft.x[:1])
        return Knockoff().extract(purse, theft)


class DrawsFromTheClock:
    def extract(self, purse, theft):
        order = torch.from_numpy(np.random.default_rng().permutation(len(theft.x)))
        return Knockoff().extract(purse, replace(theft, x=theft.x[order]))


class WritesIntoItsInput:
    def extract(self, purse, theft):
        theft.x[:] = theft.x.flip(0)
        return Knockoff().extract(purse, theft)


class LearnsNothing:
    def extract(self, purse, theft):
        x = theft.x[: purse.left]
        return learn(theft, x, purse.ask(x).roll(1, dims=1))


PLANTED = [
    (GoesAroundItsPurse, FACTS, "with a budget of"),
    (AsksOutsideTheBounds, FACTS, "outside the bounds"),
    (WantsScores, FACTS, "AccessDenied"),
    (DrawsFromTheClock, FACTS, "otherwise under the same seed"),
    (WritesIntoItsInput, FACTS, "changes the attacker's inputs"),
    (LearnsNothing, FACTS, "no better than chance"),
    (Knockoff, replace(FACTS, pool=False), "refuses without them"),
]


@pytest.mark.parametrize(("attack", "facts", "caught"), PLANTED, ids=[p[0].__name__ for p in PLANTED])
def test_planted_attack_is_caught(attack, facts, caught):
    assert any(caught in line for line in violations(attack, facts))
