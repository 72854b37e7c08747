"""SimBA: one orthogonal direction after another, kept where the true class's score falls."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from gambeson.attacks.base import EvasionFacts, Problem, State, evasion, rows, where
from gambeson.attacks.losses import margin
from gambeson.attacks.spectrum import Spectrum
from gambeson.core.errors import UsageError
from gambeson.core.threat import Access, Norm
from gambeson.models.oracle import Oracle


@dataclass(frozen=True, slots=True)
class SimBAState(State):
    """Perturbation (n, *shape), its margin (n,), order of the directions (n, count).

    Each sample goes its own way: how many directions it has done with (n,) int64, and whether its next query goes
    up the one at hand (n,) bool.
    """

    delta: Tensor
    loss: Tensor
    order: Tensor
    done: Tensor
    up: Tensor


@evasion.register(
    "simba",
    EvasionFacts(
        access=Access.SCORES,
        norms=(Norm.LINF, Norm.L2, Norm.L1),
        source="Guo et al. 2019, arXiv:1905.07121, algorithm 1",
        queries_to_init=1,
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
        """One query a step, at most two a direction."""
        return 2 * self.steps

    def idle(self, state: SimBAState) -> Tensor:
        """(n,) bool: samples that have tried all their directions."""
        return state.done >= self.steps

    def init(self, oracle: Oracle, problem: Problem) -> SimBAState:
        """Score the sample and draw the order of the directions."""
        x = problem.ball.x
        loss = margin(oracle.scores(x), problem.y)
        spectrum = self._spectrum(x)
        count = x[0].numel() if spectrum is None else spectrum.size
        order = problem.rng.uniform(0, count).argsort(dim=1, stable=True)
        never = torch.zeros_like(problem.y, dtype=torch.bool)
        return SimBAState(torch.zeros_like(x), loss, order, torch.zeros_like(problem.y), never)

    def step(self, oracle: Oracle, problem: Problem, state: SimBAState, t: int) -> SimBAState:
        """Down the direction at hand, or up where down has failed."""
        number = state.order.gather(1, (state.done % state.order.shape[1])[:, None])[:, 0]
        length = torch.where(state.up, self.step_size, -self.step_size)
        moved = problem.ball.project(self._moved(state.delta, number, length))
        loss = margin(oracle.scores(problem.ball.apply(moved)), problem.y)
        better = loss > state.loss
        through = better | state.up
        return SimBAState(
            delta=where(better, moved, state.delta),
            loss=torch.maximum(loss, state.loss),
            order=state.order,
            done=state.done + through,
            up=~through,
        )

    def _spectrum(self, x: Tensor) -> Spectrum | None:
        """The frequencies that are its directions; ``None`` where single features are."""
        return None if self.basis == "pixel" else Spectrum.of(x.shape[1:], self.frequencies, x.device)

    def _moved(self, delta: Tensor, number: Tensor, length: Tensor) -> Tensor:
        """``delta`` and a step of ``length`` (n,) along the unit directions ``number`` (n,)."""
        spectrum, moved = self._spectrum(delta), delta.clone()
        if spectrum is None:
            moved.view(len(delta), -1).scatter_add_(1, number[:, None], length[:, None])
            return moved
        channel, waves = spectrum.waves(number)
        moved[torch.arange(len(delta), device=delta.device), channel] += rows(length, waves) * waves
        return moved
