"""SimBA: one orthogonal direction after another, kept where the true class's score falls."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from gambeson.attacks.base import EvasionFacts, Problem, State, evasion, where
from gambeson.attacks.losses import margin
from gambeson.attacks.spectrum import Spectrum
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
        spectrum = self._spectrum(x)
        count = x[0].numel() if spectrum is None else spectrum.size
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

    def _spectrum(self, x: Tensor) -> Spectrum | None:
        """The frequencies that are its directions; ``None`` where single features are."""
        return None if self.basis == "pixel" else Spectrum.of(x.shape[1:], self.frequencies, x.device)

    def _direction(self, number: Tensor, x: Tensor) -> Tensor:
        """(n, *shape) unit directions by their numbers (n,)."""
        spectrum, unit = self._spectrum(x), torch.zeros_like(x)
        if spectrum is None:
            return unit.flatten(1).scatter(1, number[:, None], 1.0).reshape(x.shape)
        channel, waves = spectrum.waves(number)
        unit[torch.arange(len(x), device=x.device), channel] = waves
        return unit


def _keep(state: SimBAState, delta: Tensor, loss: Tensor) -> SimBAState:
    better = loss > state.loss
    return SimBAState(where(better, delta, state.delta), torch.maximum(loss, state.loss), state.order)
