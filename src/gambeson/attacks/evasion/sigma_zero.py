"""sigma-zero: l0 attack by a smooth stand-in for the number of changed features."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from gambeson.attacks.base import EvasionFacts, Problem, State, evasion, rows
from gambeson.attacks.losses import margin
from gambeson.core.threat import Access, Norm
from gambeson.models.oracle import Oracle

_SIGMA = 1e-3
_BETA_1, _BETA_2, _TINY = 0.9, 0.999, 1e-8


@dataclass(frozen=True, slots=True)
class SigmaZeroState(State):
    """Perturbation and Adam's moments (n, *shape), threshold below which a feature is set back (n,)."""

    delta: Tensor
    mean: Tensor
    square: Tensor
    threshold: Tensor


@evasion.register(
    "sigma_zero",
    EvasionFacts(
        access=Access.GRADIENT,
        norms=(Norm.L0,),
        source="Cina et al. 2025, arXiv:2402.01879, algorithm 1",
        minimum_norm=True,
    ),
)
@dataclass(frozen=True, slots=True)
class SigmaZero:
    """Descend max(0, true score - best other) + the smooth l0 norm / d; set small changes back to none.

    Attributes:
        steps: Gradient steps.
        step_size: First step size; decays by a cosine to a tenth.
        threshold: First threshold, as a share of each feature's width.
        threshold_step: Change of the threshold per step, scaled with the step size.
    """

    steps: int = 300
    step_size: float = 1.0
    threshold: float = 0.3
    threshold_step: float = 0.01

    @property
    def length(self) -> int:
        """One gradient a step, and one more query to judge the last point."""
        return self.steps + 1

    def init(self, oracle: Oracle, problem: Problem) -> SigmaZeroState:
        """Start at the sample."""
        zero = torch.zeros_like(problem.ball.x)
        return SigmaZeroState(
            zero, zero, zero, torch.full((len(problem.y),), self.threshold, device=zero.device)
        )

    def step(self, oracle: Oracle, problem: Problem, state: SigmaZeroState, t: int) -> SigmaZeroState:
        """Look, descend, set small changes back, adapt the threshold."""
        ball, delta = problem.ball, state.delta
        if t == self.steps:
            oracle.labels(ball.apply(delta))
            return state
        at = oracle.gradient(ball.apply(delta), margin, problem.y)
        width = (ball.high - ball.low).clamp_min(1e-12)
        share = delta / width
        pull = ball.space.slope(at.grad) * width
        wrong = at.loss > 0
        smooth = 2 * share * _SIGMA / (share.square() + _SIGMA).square() / share[0].numel()
        grad = smooth - rows((~wrong).float(), pull) * pull
        grad = grad / rows(grad.flatten(1).abs().amax(1).clamp_min(1e-12), grad)
        mean = _BETA_1 * state.mean + (1 - _BETA_1) * grad
        square = _BETA_2 * state.square + (1 - _BETA_2) * grad.square()
        way = (mean / (1 - _BETA_1 ** (t + 1))) / ((square / (1 - _BETA_2 ** (t + 1))).sqrt() + _TINY)
        rate = self.step_size * (0.1 + 0.9 * (1 + math.cos(math.pi * t / self.steps)) / 2)
        share = ball.inside((share - rate * way) * width) / width
        share = torch.where(share.abs() < rows(state.threshold, share), 0.0, share)
        change = self.threshold_step * rate
        threshold = (state.threshold + torch.where(wrong, change, -change)).clamp(0, 1)
        return SigmaZeroState(share * width, mean, square, threshold)
