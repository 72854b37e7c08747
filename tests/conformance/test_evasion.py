"""Every registered evasion attack passes the suite; attacks planted to break a rule do not."""

from __future__ import annotations

from dataclasses import dataclass, replace

import pytest
import torch

from gambeson.attacks.base import evasion
from gambeson.attacks.evasion.pgd import PGD, PGDState
from gambeson.attacks.losses import cross_entropy
from gambeson.core.errors import BudgetExhausted
from gambeson.core.threat import Access, Norm
from tests.conformance.evasion_suite import violations

SMALL = {
    "pgd": {"steps": 10},
    "apgd": {"steps": 10},
    "square": {"queries": 60},
    "fab": {"steps": 10, "targets": 3},
    "fmn": {"steps": 30},
    "ddn": {"steps": 30},
    "deepfool": {"steps": 10},
    "carlini_wagner": {"steps": 30, "searches": 3, "balance": 1.0},
    "ead": {"steps": 30, "searches": 3, "balance": 1.0},
    "sigma_zero": {"steps": 40},
    "hopskipjump": {"queries": 300, "probes": 20},
    "boundary": {"queries": 300},
    "surfree": {"queries": 200},
    "geoda": {"queries": 250, "probes": 20},
    "rays": {"queries": 200},
    "simba": {"steps": 100},
    "nes": {"queries": 300, "probes": 20},
    "zoo": {"queries": 300, "coordinates": 10},
    "tabular": {"queries": 60},
    "tabular_labels": {"queries": 200},
}
CASES = [(entry.name, norm) for entry in evasion for norm in entry.facts.norms]
PGD_FACTS = evasion["pgd"].facts


@pytest.mark.parametrize(("name", "norm"), CASES, ids=[f"{name}-{norm}" for name, norm in CASES])
def test_registered_attack_conforms(name, norm):
    entry = evasion[name]
    assert violations(lambda: entry.plugin(**SMALL.get(name, {})), entry.facts, norm) == []


@pytest.mark.parametrize("loss", ["dlr", "margin", "targeted_dlr"])
def test_every_loss_of_apgd_conforms(loss):
    entry = evasion["apgd"]
    assert violations(lambda: entry.plugin(steps=8, loss=loss, targets=2), entry.facts, Norm.LINF) == []


@dataclass(frozen=True, slots=True)
class LeavesTheBall(PGD):
    """Forgets to project."""

    def step(self, oracle, problem, state, t):
        x = (problem.ball.x + state.delta).clamp(0, 1)
        grad = oracle.gradient(x, cross_entropy, problem.y).grad
        return PGDState(state.delta + 0.05 * grad.sign())


@dataclass(frozen=True, slots=True)
class Overspends(PGD):
    """Spends five queries where it declared one, and goes on after the budget is gone."""

    def step(self, oracle, problem, state, t):
        for _ in range(5):
            try:
                oracle.scores(problem.ball.x)
            except BudgetExhausted:
                break
        return PGD.step(self, oracle, problem, state, t)


@dataclass(frozen=True, slots=True)
class QueriesBehindTheOracle(PGD):
    """Calls the model by a back door, so that nobody counts."""

    def step(self, oracle, problem, state, t):
        oracle._passes.scores(problem.ball.x)
        return PGD.step(self, oracle, problem, state, t)


@dataclass(frozen=True, slots=True)
class ReadsHiddenLabels(PGD):
    """Takes the true labels from the judge instead of those it was given."""

    def step(self, oracle, problem, state, t):
        judge = getattr(oracle._observe, "__self__", None)
        hidden = problem.y if judge is None else judge._y
        return PGD.step(self, oracle, replace(problem, y=hidden), state, t)


@dataclass(frozen=True, slots=True)
class WritesIntoItsInput(PGD):
    """Saves a copy at the caller's cost."""

    def step(self, oracle, problem, state, t):
        problem.ball.x.add_(0.01).clamp_(0, 1)
        return PGD.step(self, oracle, problem, state, t)


@dataclass(frozen=True, slots=True)
class UsesGlobalRandomness(PGD):
    """Draws its start from torch's global generator."""

    def step(self, oracle, problem, state, t):
        if t == 0:
            state = PGDState(problem.ball.project(torch.randn_like(state.delta)))
            return PGDState(state.delta)
        return PGD.step(self, oracle, problem, state, t)


@pytest.mark.parametrize(
    ("planted", "caught"),
    [
        (LeavesTheBall, "leaves the ball"),
        (Overspends, "overspends a budget"),
        (QueriesBehindTheOracle, "inputs for"),
        (ReadsHiddenLabels, "reads labels that it was not given"),
        (WritesIntoItsInput, "writes into its input"),
        (UsesGlobalRandomness, "another batch size gives another result"),
    ],
)
def test_planted_attack_is_caught(planted, caught):
    assert any(caught in text for text in violations(lambda: planted(steps=10), PGD_FACTS, Norm.LINF))


@pytest.mark.parametrize("granted", [Access.LABELS, Access.SCORES])
def test_attack_that_asks_for_more_than_it_declares_is_caught(granted):
    declared = replace(PGD_FACTS, access=granted)
    assert violations(lambda: PGD(steps=10), declared, Norm.LINF) == ["asks for more access than it declares"]
