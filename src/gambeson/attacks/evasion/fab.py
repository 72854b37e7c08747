"""FAB: fast adaptive boundary, a walk along the decision boundary towards the sample."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from gambeson.attacks.base import EvasionFacts, Problem, State, evasion, rows, where
from gambeson.attacks.hyperplane import to_hyperplane
from gambeson.attacks.losses import targeted_margin
from gambeson.core.threat import Access, Norm
from gambeson.models.oracle import Oracle

_OVERSHOOT = 1.05
"""eta of the paper."""
_BACKWARD = 0.9
"""beta of the paper: share of the way kept after a hit."""
_MOST_BIAS = 0.1
"""alpha_max of the paper."""


@dataclass(frozen=True, slots=True)
class FABState(State):
    """The point where it stands (n, *shape) and the wrong classes by score, the likeliest first."""

    delta: Tensor
    ranking: Tensor


@evasion.register(
    "fab",
    EvasionFacts(
        access=Access.GRADIENT,
        norms=(Norm.LINF, Norm.L2, Norm.L1),
        source="Croce & Hein 2020, arXiv:1907.02044, algorithm 1; targeted: arXiv:2003.01690, section 4",
        queries_to_init=1,
        queries_per_step=2,
        minimum_norm=True,
    ),
)
@dataclass(frozen=True, slots=True)
class FAB:
    """Step onto the linearised boundary to one class, biased towards the sample; after a hit, step back.

    Attributes:
        steps: Steps per target class, each a gradient and a query of the point reached.
        targets: Likeliest wrong classes, one after another.
    """

    steps: int = 100
    targets: int = 9

    @property
    def length(self) -> int:
        """Steps over all targets."""
        return self.steps * self.targets

    def init(self, oracle: Oracle, problem: Problem) -> FABState:
        """Rank the classes by their score on the clean sample."""
        scores = oracle.scores(problem.ball.x).scatter(1, problem.y[:, None], float("-inf"))
        return FABState(torch.zeros_like(problem.ball.x), scores.argsort(1, descending=True))

    def step(self, oracle: Oracle, problem: Problem, state: FABState, t: int) -> FABState:
        """One step towards the boundary to the class whose turn it is."""
        ball, norm = problem.ball, problem.ball.space.norm
        turn, i = divmod(t, self.steps)
        delta = torch.zeros_like(state.delta) if i == 0 else state.delta
        target = state.ranking[:, turn % (state.ranking.shape[1] - 1)]
        at = oracle.gradient(ball.apply(delta), targeted_margin, problem.y, target)
        w = ball.space.slope(at.grad)
        here = to_hyperplane(w, -at.loss, ball.low - delta, ball.high - delta, norm)
        back = (w * delta).flatten(1).sum(1)
        there = to_hyperplane(w, back - at.loss, ball.low, ball.high, norm)
        near, far = (ball.space.measure(step).clamp_min(1e-8) for step in (here, there))
        bias = rows((near / (near + far)).clamp_max(_MOST_BIAS).to(w.dtype), w)
        moved = ball.inside((delta + _OVERSHOOT * here) * (1 - bias) + _OVERSHOOT * there * bias)
        hit = oracle.labels(ball.apply(moved)) != problem.y
        return FABState(where(hit, _BACKWARD * moved, moved), state.ranking)
