"""Random search for a row of a table that could exist, by labels only: from a wrong row back into the set."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from gambeson.attacks.base import EvasionFacts, Problem, State, evasion, where
from gambeson.attacks.decisions import Decisions
from gambeson.attacks.geometry import Ball
from gambeson.attacks.recoding import own_codes, recode
from gambeson.core.threat import Access, Norm
from gambeson.models.oracle import Oracle

_RECODE = 0.3
"""Chance that a row within its budget of categories tries another one."""
_KINDS = (0.35, 0.6, 0.8)
"""Where a number goes: back to the sample's, to an end of the radius, between its ends, else part of the way."""

_WHOLE = 0.25
"""Chance that a row goes back as a whole."""


@dataclass(frozen=True, slots=True)
class TabularLabelsState(State):
    """The misclassified row nearest to the set.

    Attributes:
        delta: (n, *shape) perturbation of its numbers.
        codes: (n, c) its categories.
        away: (n,) by how much it exceeds what is allowed; infinite where no row is known.
        donors: (n, k) other rows to start from, nearest first.
    """

    delta: Tensor
    codes: Tensor
    away: Tensor
    donors: Tensor


@evasion.register(
    "tabular_labels",
    EvasionFacts(
        access=Access.LABELS,
        norms=(Norm.LINF, Norm.L2, Norm.L1, Norm.L0),
        source="walk of Brendel et al. 2018, arXiv:1712.04248, section 2, in the constrained space of "
        "Simonetto et al. 2022, arXiv:2112.01156, section 3",
        minimum_norm=True,
    ),
)
@dataclass(frozen=True, slots=True)
class TabularLabels:
    """Start at a misclassified row, another one or random; take back what the attacker may not do, bit by bit.

    Of a candidate some numbers go back into the radius, or part of the way, and some changed categories become the
    sample's own. It is kept where it is misclassified and exceeds by no more what is allowed: the radius by its
    numbers, the budget by its categories. Made for a radius: asked for the nearest row it stops far from it.

    Attributes:
        queries: Queries per sample.
        donors: Most other rows that are tried as a start, before random ones.
    """

    queries: int = 1_000
    donors: int = 50

    @property
    def length(self) -> int:
        """One query a step."""
        return self.queries

    def init(self, oracle: Oracle, problem: Problem) -> TabularLabelsState:
        """No row is known yet."""
        nowhere = torch.full((len(problem.y),), torch.inf, device=problem.y.device)
        donors = Decisions(oracle, problem).donors(self.donors)
        return TabularLabelsState(torch.zeros_like(problem.ball.x), own_codes(problem), nowhere, donors)

    def step(self, oracle: Oracle, problem: Problem, state: TabularLabelsState, t: int) -> TabularLabelsState:
        """One candidate per sample: a start where there is none, else the next row back."""
        begun = state.away.isfinite()
        start, start_codes = _start(problem, state.donors, t)
        delta = where(begun, _taken_back(problem, state.delta, t), start)
        codes = where(begun, _codes_taken_back(problem, state.codes, t), start_codes)
        ball = _without_limits(problem.ball)
        x = ball.apply(delta, None, codes)
        wrong = oracle.labels(x) != problem.y
        away = torch.where(ball.contains(x), _away(problem, x), torch.inf)
        kept = wrong & (away <= state.away)
        moved = torch.where(ball.space.frozen, 0.0, (x - ball.x) / ball.space.scale)
        return replace(
            state,
            delta=where(kept, moved, state.delta),
            codes=where(kept, codes, state.codes),
            away=where(kept, away, state.away),
        )


def _without_limits(ball: Ball) -> Ball:
    """The same rows, any distance and any number of categories away."""
    space = ball.space.with_eps(torch.inf)
    if space.rules is not None:
        space = replace(space, rules=replace(space.rules, budget=len(space.rules.choices)))
    return replace(ball, space=space, limit=torch.full_like(ball.limit, torch.inf))


def _start(problem: Problem, donors: Tensor, t: int) -> tuple[Tensor, Tensor]:
    """Perturbations and categories that make another row of each sample, or a random one."""
    ball, rng = problem.ball, problem.rng
    rules = ball.space.rules
    if t < donors.shape[1]:
        row = problem.donors[donors[:, t]]
        delta = ball.inside((row - ball.x) / ball.space.scale)
        return delta, own_codes(problem) if rules is None else rules.read(row)
    delta = ball.low + rng.uniform(t, *ball.x.shape[1:]) * (ball.high - ball.low)
    codes = own_codes(problem)
    if rules is not None and codes.shape[1]:
        counts = torch.tensor([count for _, count in rules.choices], device=codes.device)
        codes = (rng.uniform(t, codes.shape[1], stream=1) * counts).long()
    return delta, codes


def _taken_back(problem: Problem, delta: Tensor, t: int) -> Tensor:
    """Some numbers, all of them or few, back where they may be, or part of the way."""
    ball, rng, shape = problem.ball, problem.rng, delta.shape[1:]
    share = 2.0 ** -(rng.uniform(t, 1, stream=2) * delta[0].numel()).log2().clamp_min(0)
    chosen = (rng.uniform(t, *shape, stream=3).flatten(1) < share).reshape(delta.shape)
    low, high = ball.ends()
    kind, place = rng.uniform(t, *shape, stream=4), rng.uniform(t, *shape, stream=5)
    own, end, between = (kind < limit for limit in _KINDS)
    value = torch.where(end, torch.where(place < 0.5, low, high), low + place * (high - low))
    value = torch.where(between, value, delta * place)
    value = torch.where(own, 0.0, value)
    draw = rng.uniform(t, 2, stream=7)
    nearer = (1 - draw[:, 1:] ** 2).reshape(-1, *[1] * len(shape)) * delta
    return where(draw[:, 0] < _WHOLE, nearer, torch.where(chosen, value, delta))


def _codes_taken_back(problem: Problem, codes: Tensor, t: int) -> Tensor:
    """Some changed categories back to the sample's own; within the budget now and then another one."""
    rules, rng = problem.ball.space.rules, problem.rng
    if rules is None or not codes.shape[1]:
        return codes
    own = rules.read(problem.ball.x)
    draw = rng.uniform(t, codes.shape[1] + 1, stream=6)
    back = torch.where(draw[:, 1:] < draw[:, :1], own, codes)
    return where((codes != own).sum(1) > rules.budget, back, recode(problem, codes, t, _RECODE))


def _away(problem: Problem, x: Tensor) -> Tensor:
    """(n,) by how much rows exceed what is allowed; their distance where the nearest is looked for."""
    ball, space = problem.ball, problem.ball.space
    if not space.bounded:
        return ball.size(x).float()
    if space.norm is Norm.LINF:
        change = (x - ball.x).abs() / space.scale
        if space.rules is not None:
            change = change * space.rules.measured
        excess = (change - space.eps).clamp_min(0).flatten(1).sum(1)
    else:
        excess = (ball.size(x).float() - space.eps).clamp_min(0)
    if space.rules is None:
        return excess
    changed = (space.rules.read(x) != space.rules.read(ball.x)).sum(1)
    return excess + (changed - space.rules.budget).clamp_min(0)
