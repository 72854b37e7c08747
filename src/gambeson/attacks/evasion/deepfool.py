"""DeepFool: repeated steps onto the nearest linearised boundary."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from gambeson.attacks.base import EvasionFacts, Problem, State, evasion, where
from gambeson.attacks.hyperplane import to_hyperplane
from gambeson.attacks.losses import targeted_margin
from gambeson.core.threat import Access, Norm
from gambeson.models.oracle import Oracle


@dataclass(frozen=True, slots=True)
class DeepFoolState(State):
    """Perturbation without the overshoot (n, *shape), candidate classes (n, k), whether it arrived (n,)."""

    delta: Tensor
    ranking: Tensor
    done: Tensor


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
        """Its steps."""
        return self.steps

    def init(self, oracle: Oracle, problem: Problem) -> DeepFoolState:
        """Rank the classes by their score on the clean sample."""
        scores = oracle.scores(problem.ball.x).scatter(1, problem.y[:, None], float("-inf"))
        ranking = scores.argsort(1, descending=True)[:, : min(self.candidates, scores.shape[1] - 1)]
        never = torch.zeros(len(problem.y), dtype=torch.bool, device=problem.y.device)
        return DeepFoolState(torch.zeros_like(problem.ball.x), ranking, never)

    def step(self, oracle: Oracle, problem: Problem, state: DeepFoolState, t: int) -> DeepFoolState:
        """Look at every candidate's boundary and go to the nearest."""
        ball, norm = problem.ball, problem.ball.space.norm
        with_overshoot = ball.inside((1 + self.overshoot) * state.delta)
        x = ball.apply(with_overshoot)
        shortest = torch.full((len(problem.y),), torch.inf, device=x.device)
        step, done = torch.zeros_like(state.delta), state.done
        for column in state.ranking.T:
            at = oracle.gradient(x, targeted_margin, problem.y, column)
            done = done | (at.scores.argmax(1) != problem.y)
            w = torch.where(ball.space.frozen, 0.0, at.grad * ball.space.scale)
            way = to_hyperplane(w, -at.loss, ball.low - with_overshoot, ball.high - with_overshoot, norm)
            size = ball.space.measure(way)
            # What the box keeps from reaching the plane is not near, however short.
            size = torch.where((w * way).flatten(1).sum(1) < -at.loss * 0.999, size + 1e6, size)
            step = where(size < shortest, way, step)
            shortest = torch.minimum(size, shortest)
        return DeepFoolState(where(done, state.delta, state.delta + step), state.ranking, done)
