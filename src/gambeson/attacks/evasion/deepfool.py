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
    and ``tightened`` (n,) counts the halvings. ``pace`` (n,) is the longest step, infinite on the first walk, and
    ``target`` (n,) the class that the second walk goes to.
    """

    delta: Tensor
    ranking: Tensor
    done: Tensor
    low: Tensor
    high: Tensor
    tightened: Tensor
    pace: Tensor
    target: Tensor

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

    def again(self, ball: Ball, share: float, *, late: bool) -> DeepFoolState:
        """Start the second walk of those whose first is over, and when it is ``late`` of those under way."""
        over = self.tightened >= _TIGHTENINGS
        back = self.pace.isinf() & ((over | ~self.done) if late else over)
        if not bool(back.any()):
            return self
        length = self.high * ball.space.measure(self.delta)
        return replace(
            self,
            delta=where(back, torch.zeros_like(self.delta), self.delta),
            done=self.done & ~back,
            high=torch.where(back, 1.0, self.high),
            tightened=torch.where(back, 0.0, self.tightened),
            pace=torch.where(back, share * length, self.pace),
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

    Then the overshoot is drawn back by bisection, one query at a time. Where the model is far from linear, as after
    adversarial training, whole steps go astray and arrive far behind the boundary: so a second walk, not in the paper,
    goes from the sample towards the class that the first one found, in steps of a share of the distance found.

    Attributes:
        steps: Most steps; each takes one gradient per candidate class, on the second walk one. A first walk that
            has not arrived after half of them is given up for the second.
        candidates: Likeliest wrong classes looked at.
        overshoot: How much further than the boundary, as a share of the whole perturbation.
        share: Longest step of the second walk, as a share of the length of the first.
    """

    steps: int = 50
    candidates: int = 10
    overshoot: float = 0.02
    share: float = 0.1

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
        return DeepFoolState(
            delta=torch.zeros_like(problem.ball.x),
            ranking=ranking,
            done=never,
            low=number,
            high=number + 1,
            tightened=number,
            pace=number + torch.inf,
            target=ranking[:, 0],
        )

    def idle(self, state: DeepFoolState) -> Tensor:
        """Samples (n,) bool that have arrived twice and been drawn back to the boundary."""
        return (state.tightened >= _TIGHTENINGS) & state.pace.isfinite()

    def step(self, oracle: Oracle, problem: Problem, state: DeepFoolState, t: int) -> DeepFoolState:
        """Look at every candidate's boundary and go to the nearest; draw back what has arrived."""
        state = state.again(problem.ball, self.share, late=t >= self.steps // 2)
        walking = ~state.done & (oracle.left.to(state.done.device) > 0)
        state = state.tighten(oracle, problem)
        for first in (True, False):
            of = (walking & (state.pace.isinf() == first)).nonzero().squeeze(1)
            if len(of):
                classes = state.ranking[of] if first else state.target[of, None]
                state = self._walk(oracle, problem, state, of, classes)
        return state

    def _walk(
        self, oracle: Oracle, problem: Problem, state: DeepFoolState, of: Tensor, classes: Tensor
    ) -> DeepFoolState:
        """One step of the samples ``of`` towards the nearest of their ``classes`` (m, k)."""
        ball = problem.ball.select(of)
        delta = ball.inside((1 + self.overshoot) * state.delta[of])
        step, label = self._nearest(oracle, ball, problem.y[of], classes, delta, of)
        done = label != problem.y[of]
        shorter = (state.pace[of] / ball.space.measure(step).clamp_min(1e-12)).clamp_max(1)
        moved = where(done, delta, state.delta[of] + rows(shorter, step) * step)
        bracket = torch.full_like(state.low[of], _BACK / (1 + self.overshoot))
        return replace(
            state,
            delta=state.delta.index_copy(0, of, moved),
            done=state.done.index_copy(0, of, done),
            low=state.low.index_copy(0, of, bracket),
            target=state.target.index_copy(0, of, torch.where(done, label, state.target[of])),
        )

    def _nearest(
        self, oracle: Oracle, ball: Ball, y: Tensor, classes: Tensor, delta: Tensor, of: Tensor
    ) -> tuple[Tensor, Tensor]:
        """The shortest step onto the boundary to one of the ``classes``, and the class (m,) where we stand."""
        x, norm = ball.apply(delta), ball.space.norm
        shortest = torch.full((len(y),), torch.inf, device=x.device)
        step, label = torch.zeros_like(delta), y
        for column in classes.T:
            at = oracle.gradient(x, targeted_margin, y, column, of=of)
            label = at.scores.argmax(1)
            w = ball.space.slope(at.grad)
            way = to_hyperplane(w, -at.loss, ball.low - delta, ball.high - delta, norm)
            size = ball.space.measure(way)
            # What the box keeps from reaching the plane is not near, however short.
            size = torch.where((w * way).flatten(1).sum(1) < -at.loss * 0.999, size + 1e6, size)
            step = where(size < shortest, way, step)
            shortest = torch.minimum(size, shortest)
        return step, label
