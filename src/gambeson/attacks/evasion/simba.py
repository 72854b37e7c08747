"""SimBA: one orthogonal direction after another, kept where the true class's score falls."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from gambeson.attacks.base import EvasionFacts, Problem, State, evasion, where
from gambeson.attacks.losses import margin
from gambeson.core.errors import UsageError
from gambeson.core.threat import Access, Norm
from gambeson.models.oracle import Oracle


@dataclass(frozen=True, slots=True)
class SimBAState(State):
    """Perturbation (n, *shape), its margin (n,), order of the directions (n, count)."""

    delta: Tensor
    loss: Tensor
    order: Tensor


@evasion.register(
    "simba",
    EvasionFacts(
        access=Access.SCORES,
        norms=(Norm.LINF, Norm.L2, Norm.L1),
        source="Guo et al. 2019, arXiv:1905.07121, algorithm 1",
        queries_to_init=1,
        queries_per_step=2,
    ),
)
@dataclass(frozen=True, slots=True)
class SimBA:
    """Try a step down and, where that fails, up along a random direction of an orthonormal basis.

    Attributes:
        steps: Directions tried, each with one or two queries.
        step_size: Length of a step, in input units.
        basis: ``dct`` for the lowest spatial frequencies of images (tables have none: there, single
            features), or ``pixel``.
        frequencies: Share of the frequencies in each axis that ``dct`` uses.

    Raises:
        UsageError: The basis is unknown.
    """

    steps: int = 2_500
    step_size: float = 0.2
    basis: str = "dct"
    frequencies: float = 0.125

    def __post_init__(self) -> None:
        if self.basis not in ("pixel", "dct"):
            raise UsageError(f"Unknown basis {self.basis!r} for simba.", expected="pixel or dct")

    @property
    def length(self) -> int:
        """Its steps."""
        return self.steps

    def init(self, oracle: Oracle, problem: Problem) -> SimBAState:
        """Score the sample and draw the order of the directions."""
        x = problem.ball.x
        loss = margin(oracle.scores(x), problem.y)
        count = math.prod(self._grid(x))
        return SimBAState(
            torch.zeros_like(x), loss, problem.rng.uniform(0, count).argsort(dim=1, stable=True)
        )

    def step(self, oracle: Oracle, problem: Problem, state: SimBAState, t: int) -> SimBAState:
        """One direction, both ways."""
        ball = problem.ball
        number = state.order[:, t % state.order.shape[1]]
        way = self.step_size * self._direction(number, ball.x)
        down = ball.project(state.delta - way)
        state = _keep(state, down, margin(oracle.scores(ball.apply(down)), problem.y))
        moved = (state.delta == down).flatten(1).all(1)
        of = (~moved & (oracle.left.to(moved.device) > 0)).nonzero().squeeze(1)
        if not len(of):
            return state
        up = ball.select(of).project(state.delta[of] + way[of])
        loss = torch.full_like(state.loss, -torch.inf)
        loss[of] = margin(oracle.scores(ball.apply(up, of), of), problem.y[of])
        return _keep(state, state.delta.index_copy(0, of, up), loss)

    def _grid(self, x: Tensor) -> tuple[int, ...]:
        """Number of directions along each axis of a sample."""
        if self.basis == "pixel" or x.dim() != 4:
            return tuple(x.shape[1:])
        return x.shape[1], *(max(round(self.frequencies * side), 1) for side in x.shape[2:])

    def _direction(self, number: Tensor, x: Tensor) -> Tensor:
        """(n, *shape) unit directions by their numbers (n,)."""
        grid = self._grid(x)
        if self.basis == "pixel" or x.dim() != 4:
            unit = torch.zeros_like(x).flatten(1).scatter(1, number[:, None], 1.0)
            return unit.reshape(x.shape)
        channel, rest = number // (grid[1] * grid[2]), number % (grid[1] * grid[2])
        tall, wide = _cosine(rest // grid[2], x.shape[2]), _cosine(rest % grid[2], x.shape[3])
        which = torch.nn.functional.one_hot(channel, x.shape[1]).to(x.dtype)
        return which[:, :, None, None] * tall[:, None, :, None] * wide[:, None, None, :]


def _cosine(frequency: Tensor, size: int) -> Tensor:
    """(n, size) rows of the orthonormal DCT-II."""
    place = torch.arange(size, device=frequency.device) + 0.5
    wave = (math.pi / size * frequency[:, None] * place).cos() * (2 / size) ** 0.5
    return torch.where(frequency[:, None] == 0, wave / 2**0.5, wave)


def _keep(state: SimBAState, delta: Tensor, loss: Tensor) -> SimBAState:
    better = loss > state.loss
    return SimBAState(where(better, delta, state.delta), torch.maximum(loss, state.loss), state.order)
