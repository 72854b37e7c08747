"""What every evasion attack is held to; each function returns what it caught, in words."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from unittest import mock

import numpy as np
import torch

from gambeson.attacks.base import EvasionFacts, Problem
from gambeson.attacks.geometry import PerturbationSet
from gambeson.attacks.harness import AttackOutcome, Run, Samples, run_attack
from gambeson.attacks.judge import Judge
from gambeson.attacks.randomness import SampleRandom
from gambeson.core.errors import AccessDenied, BudgetExhausted
from gambeson.core.reproduce import Seed
from gambeson.core.threat import Norm, ThreatModel
from gambeson.data.schema import Schema
from gambeson.models import passes as passes_module
from gambeson.models.oracle import Oracle
from gambeson.models.passes import LANE, Passes
from tests.tiny_models import TensorModel, perceptron

Build = Callable[[], object]
EPS = {Norm.LINF: 0.1, Norm.L2: 0.6, Norm.L1: 2.0, Norm.L0: 3.0}
SCHEMA = Schema((1, 6, 6), ("a", "b", "c", "d"))


class CountingModel(TensorModel):
    """Counts every row that it is shown, whoever shows it."""

    rows = 0

    def forward(self, x):
        type(self).rows += len(x)
        return super().forward(x)


def samples(n: int = LANE) -> Samples:
    """Inputs with the labels that the model itself gives them, so that each stands at first."""
    x = torch.rand(n, *SCHEMA.shape, generator=torch.Generator().manual_seed(5))
    y = Passes(perceptron()).scores(x).argmax(1)
    return Samples(x, y, np.arange(n))


def space(norm: Norm, factor: float = 1.0) -> PerturbationSet:
    return PerturbationSet.of(ThreatModel(norm, EPS[norm] * factor), SCHEMA)


def attack_once(build: Build, facts: EvasionFacts, norm: Norm, **changes) -> AttackOutcome:
    settings = {
        "factor": 1.0,
        "seed": 0,
        "budget": None,
        "given": samples(),
        "model": perceptron(),
        "rows": 64,
    }
    s = settings | changes
    run = Run(Seed(s["seed"]).child("conformance"))
    passes = Passes(s["model"], s["rows"])
    return run_attack(
        build(), facts, passes, s["given"], space(norm, s["factor"]), budget=s["budget"], run=run
    )


def violations(build: Build, facts: EvasionFacts, norm: Norm) -> list[str]:
    """Everything that the attack does wrong under one norm."""
    try:
        attack_once(build, facts, norm)
    except AccessDenied:
        return ["asks for more access than it declares"]
    return [text for rule in RULES for text in rule(build, facts, norm)]


def stays_in_ball(build: Build, facts: EvasionFacts, norm: Norm) -> Iterator[str]:
    outcome = attack_once(build, facts, norm)
    if outcome.strays and not facts.minimum_norm:
        yield f"leaves the ball in {outcome.strays} queries"
    inside = space(norm).around(samples().x).contains(torch.from_numpy(outcome.adversarial))
    if not bool(inside.all()):
        yield "its results lie outside the ball"


def is_repeatable(build: Build, facts: EvasionFacts, norm: Norm) -> Iterator[str]:
    given = samples(3 * LANE)
    whole = attack_once(build, facts, norm, given=given)
    again = attack_once(build, facts, norm, given=given, rows=LANE)
    part = attack_once(build, facts, norm, given=given.select(torch.arange(5, 11)))
    if not np.array_equal(whole.adversarial, again.adversarial):
        yield "another batch size gives another result"
    if not np.array_equal(whole.adversarial[5:11], part.adversarial):
        yield "a sample's result depends on its companions"


def keeps_its_budget(build: Build, facts: EvasionFacts, norm: Norm) -> Iterator[str]:
    for budget in (1, 7):
        outcome = attack_once(build, facts, norm, budget=budget)
        if outcome.overspent or outcome.queries.max() > budget:
            yield f"overspends a budget of {budget} queries"
    if attack_once(build, facts, norm).overspent:
        yield "spends more queries per step than it declares"


def queries_only_through_the_oracle(build: Build, facts: EvasionFacts, norm: Norm) -> Iterator[str]:
    tiny = perceptron()
    model = CountingModel(tiny.module, tiny.info.shape, tiny.info.classes)
    CountingModel.rows = 0
    with mock.patch.object(passes_module, "LANE", 1):  # no rows that only fill a block
        outcome = attack_once(build, facts, norm, model=model)
    recorded = int(outcome.queries.sum())
    if CountingModel.rows > recorded + int(outcome.fallen.sum()) + outcome.refuted:
        yield f"shows the model {CountingModel.rows} inputs for {recorded} queries on record"


def knows_only_the_labels_it_was_given(build: Build, facts: EvasionFacts, norm: Norm) -> Iterator[str]:
    given = samples()
    hidden = (given.y + 1) % len(SCHEMA.classes)
    if not all(
        torch.equal(a, b)
        for a, b in zip(
            _queries(build, facts, norm, given.y), _queries(build, facts, norm, hidden), strict=True
        )
    ):
        yield "reads labels that it was not given: hidden ones change what it does"


def _queries(build: Build, facts: EvasionFacts, norm: Norm, truth: torch.Tensor) -> list[torch.Tensor]:
    """Everything that the attack asks while a judge with labels of its own looks on."""
    given, seen = samples(), []
    problem = _problem(build, given, norm)
    judge = Judge(truth, problem.ball)
    oracle = Oracle(Passes(perceptron()), facts.access, rows=len(given), budget=12, observe=judge.observe)
    answer = oracle._passes

    class Recorder(Passes):
        def scores(self, x):
            seen.append(x.clone())
            return answer.scores(x)

        def gradient(self, x, loss, *rows):
            seen.append(x.clone())
            return answer.gradient(x, loss, *rows)

    oracle._passes = Recorder(perceptron())
    _drive(build, oracle, problem)
    return seen


def _problem(build: Build, given: Samples, norm: Norm) -> Problem:
    keys = torch.from_numpy(Seed(0).keys(given.index))
    return Problem(
        given.y, space(norm).around(given.x), SampleRandom(keys), min(build().length, 10), given.x[:0]
    )


def _drive(build: Build, oracle: Oracle, problem: Problem) -> None:
    """Run an attack without the harness around it."""
    attack = build()
    try:
        state = attack.init(oracle, problem)
        for t in range(problem.steps):
            state = attack.step(oracle, problem, state, t)
    except BudgetExhausted:
        pass


def leaves_its_input_alone(build: Build, facts: EvasionFacts, norm: Norm) -> Iterator[str]:
    given = samples()
    problem = _problem(build, given, norm)
    _drive(build, Oracle(Passes(perceptron()), facts.access, rows=len(given), budget=12), problem)
    if not (torch.equal(given.x, samples().x) and torch.equal(given.y, samples().y)):
        yield "writes into its input"


def is_no_weaker_in_a_larger_ball(build: Build, facts: EvasionFacts, norm: Norm) -> Iterator[str]:
    given = samples(64)
    small, large = (attack_once(build, facts, norm, factor=f, given=given).fallen.sum() for f in (0.5, 2.0))
    if large < small:
        yield f"breaks {small} samples in a ball and {large} in one four times as large"
    if not large:
        yield "breaks nothing on a model without any defence"


RULES = (
    stays_in_ball,
    is_repeatable,
    keeps_its_budget,
    queries_only_through_the_oracle,
    knows_only_the_labels_it_was_given,
    leaves_its_input_alone,
    is_no_weaker_in_a_larger_ball,
)
