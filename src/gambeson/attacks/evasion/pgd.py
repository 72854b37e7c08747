"""Projected gradient descent with random restarts and momentum, for every norm."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from gambeson.attacks.base import EvasionFacts, Problem, State, evasion
from gambeson.attacks.losses import cross_entropy
from gambeson.core.errors import UsageError
from gambeson.core.threat import Access, Norm
from gambeson.models.oracle import Oracle


@dataclass(frozen=True, slots=True)
class PGDState(State):
    """The current perturbation (n, *shape), and with momentum the sum of gradients so far (n, *shape)."""

    delta: Tensor
    velocity: Tensor | None = None


@evasion.register(
    "pgd",
    EvasionFacts(
        access=Access.GRADIENT,
        norms=(Norm.LINF, Norm.L2, Norm.L1, Norm.L0),
        source="Madry et al. 2018, arXiv:1706.06083, eq. 3; l0: Croce & Hein 2019, arXiv:1909.05040; "
        "momentum: Dong et al. 2018, arXiv:1710.06081",
    ),
)
@dataclass(frozen=True, slots=True)
class PGD:
    """Ascend the cross-entropy from a random start, projecting onto the ball after every step.

    Attributes:
        steps: Gradient steps per restart.
        step_size: Length of a step as a fraction of eps; ``None`` for 2.5 / steps (Madry's rule), at
            least 1/10.
        restarts: Random starts, one after another.
        random_start: False starts at the sample itself.
        momentum: Share of the earlier gradients' sum that is kept at each step, 0 for none; 1 is MI-FGSM
            (Dong et al. 2018, algorithm 1), whose examples transfer better to other models.
    """

    steps: int = 40
    step_size: float | None = None
    restarts: int = 1
    random_start: bool = True
    momentum: float = 0.0

    def __post_init__(self) -> None:
        if not 0 <= self.momentum < float("inf"):
            raise UsageError(f"The momentum is {self.momentum:g}.", expected="0 or more, e.g. 1")

    @property
    def length(self) -> int:
        """Steps over all restarts, and one more query to judge the last point."""
        return (self.steps + 1) * self.restarts

    def init(self, oracle: Oracle, problem: Problem) -> PGDState:
        """Nothing is queried yet."""
        zero = torch.zeros_like(problem.ball.x)
        return PGDState(zero, zero.clone() if self.momentum else None)

    def step(self, oracle: Oracle, problem: Problem, state: PGDState, t: int) -> PGDState:
        """One gradient step; the first of each restart starts afresh, the last only judges."""
        ball, delta, velocity = problem.ball, state.delta, state.velocity
        if t % (self.steps + 1) == 0:
            delta = ball.random(problem.rng, t) if self.random_start else torch.zeros_like(delta)
            velocity = None if velocity is None else torch.zeros_like(velocity)
        if t % (self.steps + 1) == self.steps:
            oracle.scores(ball.apply(delta))
            return PGDState(delta, velocity)
        grad = oracle.gradient(ball.apply(delta), cross_entropy, problem.y).grad
        if velocity is not None:
            grad = velocity = self.momentum * velocity + _unit_mean(grad)
        length = (self.step_size or max(2.5 / self.steps, 0.1)) * ball.space.eps
        return PGDState(ball.project(delta.add(ball.ascent(delta, grad), alpha=length)), velocity)


def _unit_mean(grad: Tensor) -> Tensor:
    """Each row divided by its mean absolute value, so that no step outweighs the others (Dong et al., eq. 6)."""
    size = grad.abs().flatten(1).mean(1).clamp_min(1e-12)
    return grad / size.reshape(-1, *[1] * (grad.dim() - 1))
