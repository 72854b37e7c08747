"""DeepFool: repeated steps onto the nearest linearised boundary."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from gambeson.attacks.base import EvasionFacts, Problem, State, evasion, rows, where
from gambeson.attacks.geometry import Ball
from gambeson.attacks.hyperplane import to_hyperplane
from gambeson.attacks.losses import targeted_margin
from gambeson.core.threat import Access, Norm
from gambeson.models.oracle import Oracle

_TIGHTENINGS = 6
"""Queries that draw an arrived sample back to the boundary."""
_BACK = 0.9
"""Share of the perturbation without the overshoot at which the bisection starts."""


@dataclass(frozen=True, slots=True)
class DeepFoolState(State):
    """Where every sample stands.

    ``delta`` (n, *shape) without the overshoot until it has arrived, ``ranking`` (n, k) candidate classes,
    ``done`` (n,) whether it arrived; then ``low`` and ``high`` (n,) bracket the share of delta at the boundary
    and ``tightened`` (n,) counts the halvings.
    """

    delta: Tensor
    ranking: Tensor
    done: Tensor
    low: Tensor
    high: Tensor
    tightened: Tensor

    def tighten(self, oracle: Oracle, problem: Problem) -> DeepFoolState:
        """Halve the bracket of those that have arrived, by one query each."""
        left = oracle.left.to(self.done.device) > 0
        of = (self.done & left & (self.tightened < _TIGHTENINGS)).nonzero().squeeze(1)
        if not len(of):
            return self
        middle = (self.low[of] + self.high[of]) / 2
        x = problem.ball.select(of).apply(rows(middle, self.delta) * self.delta[of])
        wrong = oracle.labels(x, of) != problem.y[of]
        return replace(
            self,
            low=self.low.index_copy(0, of, torch.where(wrong, self.low[of], middle)),
            high=self.high.index_copy(0, of, torch.where(wrong, middle, self.high[of])),
            tightened=self.tightened.index_add(0, of, torch.ones_like(middle)),
        )


@evasion.register(
    "deepfool",
    EvasionFacts(
        access=Access.GRADIENT,
        norms=(Norm.LINF, Norm.L2),
        source="Moosavi-Dezfooli et al. 2016, arXiv:1511.04599, algorithm 2",
        queries_to_init=1,
        queries_per_step=None,
        minimum_norm=True,
    ),
)
@dataclass(frozen=True, slots=True)
class DeepFool:
    """Go to the nearest of the linearised boundaries to the candidate classes, until the class changes.

    Then the overshoot is drawn back by bisection, one query at a time.

    Attributes:
        steps: Most steps; each takes one gradient per candidate class.
        candidates: Likeliest wrong classes looked at.
        overshoot: How much further than the boundary, as a share of the whole perturbation.
    """

    steps: int = 50
    candidates: int = 10
    overshoot: float = 0.02

    @property
    def length(self) -> int:
        """Its steps, and the bisection of what arrives last."""
        return self.steps + _TIGHTENINGS

    def init(self, oracle: Oracle, problem: Problem) -> DeepFoolState:
        """Rank the classes by their score on the clean sample."""
        scores = oracle.scores(problem.ball.x).scatter(1, problem.y[:, None], float("-inf"))
        ranking = scores.argsort(1, descending=True)[:, : min(self.candidates, scores.shape[1] - 1)]
        never = torch.zeros(len(problem.y), dtype=torch.bool, device=problem.y.device)
        number = torch.zeros(len(problem.y), device=problem.y.device)
        return DeepFoolState(torch.zeros_like(problem.ball.x), ranking, never, number, number + 1, number)

    def idle(self, state: DeepFoolState) -> Tensor:
        """Samples (n,) bool that have arrived and been drawn back to the boundary."""
        return state.tightened >= _TIGHTENINGS

    def step(self, oracle: Oracle, problem: Problem, state: DeepFoolState, t: int) -> DeepFoolState:
        """Look at every candidate's boundary and go to the nearest; draw back what has arrived."""
        tight = state.tighten(oracle, problem)
        of = (~state.done & (oracle.left.to(state.done.device) > 0)).nonzero().squeeze(1)
        if not len(of):
            return tight
        far = (1 + self.overshoot) * state.delta[of]
        ball = problem.ball.select(of)
        delta = ball.inside(far)
        step, done = self._nearest(oracle, ball, problem.y[of], state.ranking[of], delta, of)
        moved = torch.where(rows(done, delta), state.delta[of], state.delta[of] + step)
        share = 1 / (1 + self.overshoot)
        return replace(
            tight,
            delta=tight.delta.index_copy(0, of, torch.where(rows(done, delta), delta, moved)),
            done=tight.done.index_copy(0, of, done),
            low=tight.low.index_copy(0, of, torch.full_like(tight.low[of], share * _BACK)),
        )

    def _nearest(
        self, oracle: Oracle, ball: Ball, y: Tensor, ranking: Tensor, delta: Tensor, of: Tensor
    ) -> tuple[Tensor, Tensor]:
        """The shortest step onto a candidate's boundary, and whether the class has changed already."""
        x, norm = ball.apply(delta), ball.space.norm
        shortest = torch.full((len(y),), torch.inf, device=x.device)
        step, done = torch.zeros_like(delta), torch.zeros_like(y, dtype=torch.bool)
        for column in ranking.T:
            at = oracle.gradient(x, targeted_margin, y, column, of=of)
            done |= at.scores.argmax(1) != y
            w = ball.space.slope(at.grad)
            way = to_hyperplane(w, -at.loss, ball.low - delta, ball.high - delta, norm)
            size = ball.space.measure(way)
            # What the box keeps from reaching the plane is not near, however short.
            size = torch.where((w * way).flatten(1).sum(1) < -at.loss * 0.999, size + 1e6, size)
            step = where(size < shortest, way, step)
            shortest = torch.minimum(size, shortest)
        return step, done
