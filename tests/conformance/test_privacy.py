"""Every registered privacy attack passes the suite; attacks planted to peek or to cheat do not."""

from __future__ import annotations

import sys
from dataclasses import dataclass

import numpy as np
import pytest

from gambeson.attacks.privacy.base import PrivacyFacts, privacy
from gambeson.attacks.privacy.harness import area, run_inference
from gambeson.attacks.privacy.rmia import RMIA
from gambeson.core.reproduce import Seed
from gambeson.core.threat import Access
from tests.conformance.privacy_suite import violations
from tests.membership_worlds import candidates

ALONE = PrivacyFacts(Access.SCORES, least_references=0, source="planted")


@pytest.mark.parametrize("name", privacy.names())
def test_registered_attack_conforms(name):
    assert violations(privacy[name].plugin, privacy[name].facts) == []


@pytest.mark.parametrize("parameters", [{"offline": True}, {"offline": True, "a": 1.0}, {"gamma": 2.0}])
def test_every_variant_of_rmia_conforms(parameters):
    assert violations(lambda: RMIA(**parameters), privacy["rmia"].facts) == []


class AsksForTheTruth:
    def infer(self, task):
        return task.truth.astype(float)


class WalksTheStackForTheTruth:
    """Finds the candidates in the frame of whoever called it."""

    def infer(self, task):
        known = sys._getframe(1).f_locals
        return (
            known["candidates"].truth[known["order"]].astype(float)
            if "candidates" in known
            else task.confidence
        )


class WritesIntoItsInput:
    def infer(self, task):
        task.target[:] = np.exp(task.target)
        return task.confidence


class UsesReferencesItDidNotDeclare:
    def infer(self, task):
        return task.confidence - (task.references.mean(0) if len(task.references) else 0)


class RunsWithoutTheReferencesItNeeds:
    def infer(self, task):
        return task.confidence


class DrawsFromTheClock:
    def infer(self, task):
        return task.confidence + np.random.default_rng().normal(size=len(task.labels))


class Sleeps:
    def infer(self, task):
        return np.zeros(len(task.labels))


PLANTED = [
    (AsksForTheTruth, ALONE, "AttributeError"),
    (WalksTheStackForTheTruth, ALONE, "knows what it cannot know"),
    (WritesIntoItsInput, ALONE, "changes its input: target"),
    (UsesReferencesItDidNotDeclare, ALONE, "although it declares that it needs none"),
    (RunsWithoutTheReferencesItNeeds, privacy["rmia"].facts, "runs without them"),
    (DrawsFromTheClock, ALONE, "other scores under the same seed"),
    (Sleeps, ALONE, "misses a plain leak"),
]


@pytest.mark.parametrize(("attack", "facts", "caught"), PLANTED, ids=[p[0].__name__ for p in PLANTED])
def test_planted_attack_is_caught(attack, facts, caught):
    assert any(caught in line for line in violations(attack, facts))


@dataclass
class GuessesFromTheOrder:
    def infer(self, task):
        return -np.arange(len(task.labels), dtype=float)


def test_an_attack_that_guesses_from_the_order_of_the_records_learns_nothing():
    ends = area(run_inference(GuessesFromTheOrder(), "order", candidates(leak=3), Seed(0))).interval
    assert ends.low <= 0.5 <= ends.high
