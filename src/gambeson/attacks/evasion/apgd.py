"""Auto-PGD: PGD with momentum whose step size halves where progress stalls."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache

import torch
from torch import Tensor

from gambeson.attacks import sparse
from gambeson.attacks.base import EvasionFacts, Problem, State, evasion, rows, where
from gambeson.attacks.losses import (
    cross_entropy,
    dlr,
    margin,
    probability_margin,
    targeted_dlr,
    targeted_margin,
)
from gambeson.core.errors import UsageError
from gambeson.core.threat import Access, Norm
from gambeson.models.oracle import Oracle
from gambeson.models.passes import Gradient, Loss

_LOSSES: dict[str, Loss] = {
    "ce": cross_entropy,
    "dlr": dlr,
    "margin": margin,
    "probability_margin": probability_margin,
    "targeted_dlr": targeted_dlr,
    "targeted_margin": targeted_margin,
}
_TARGETED = ("targeted_dlr", "targeted_margin")
_LOSS_NAMES = (*_LOSSES, "closest")
_MOMENTUM = 0.75
_NOTHING = 0.01
"""Share of the clean margin that a run has to gain so as not to be in vain."""
_MIXTURE = 2
"""Stream of the random mixtures; the two before it draw the start."""
_ENOUGH_ASCENTS = 0.75
"""rho of the paper: fewer ascending steps than this fraction since the last checkpoint halves the step."""


@lru_cache
def checkpoints(steps: int) -> frozenset[int]:
    """Steps (from 1) after which the step size is reviewed: 22% of the run, then ever closer, 6% at least.

    Source: Croce & Hein 2020, section 3.1 (p_0 = 0, p_1 = 0.22), with the authors' rounding.
    """
    gap, shrink, least = (max(int(f * steps), 1) for f in (0.22, 0.03, 0.06))
    at, found = 0, []
    while at + gap <= steps:
        at += gap
        found.append(at)
        gap = max(gap - shrink, least)
    return frozenset(found)


@dataclass(frozen=True, slots=True)
class APGDState(State):
    """Everything per sample.

    Points (n, *shape); scalars (n,); per class (n, classes): ``ranking`` by the clean scores, ``lead`` the
    largest lead over the true class seen so far, ``tried`` whether a run has aimed at it; ``target`` (n,) of
    this run; ``clean`` (n,) the clean sample's margin; ``idle`` (n,) given up.
    """

    delta: Tensor
    previous: Tensor
    grad: Tensor
    best: Tensor
    best_grad: Tensor
    loss: Tensor
    best_loss: Tensor
    best_at_check: Tensor
    reduced: Tensor
    ascents: Tensor
    step_size: Tensor
    ranking: Tensor
    lead: Tensor
    tried: Tensor
    target: Tensor
    clean: Tensor
    idle: Tensor
    gained: Tensor
    vain: Tensor
    sparsity: Tensor
    support: Tensor


@evasion.register(
    "apgd",
    EvasionFacts(
        access=Access.GRADIENT,
        norms=(Norm.LINF, Norm.L2, Norm.L1),
        source="Croce & Hein 2020, arXiv:2003.01690, algorithm 1; l1: Croce & Hein 2021, arXiv:2103.01208, algorithm 1",
        queries_to_init=1,
    ),
)
@dataclass(frozen=True, slots=True)
class APGD:
    """Auto-PGD.

    Attributes:
        steps: Gradient steps per restart (per target for a targeted loss).
        loss: ``ce``, ``dlr``, ``margin``, ``probability_margin``, ``targeted_dlr``, ``targeted_margin``; or
            ``closest``: one run on the probability margin, then runs on the margin to one class each, always
            the one that has come closest so far.
        restarts: Random starts for the untargeted losses.
        targets: Most likely wrong classes that a targeted loss aims at, one after another.
        give_up: For ``closest``: a sample is left alone after a run in which its margin kept more than this
            share of what it was on the clean sample; 1 never gives up.
        patience: A sample is left alone after so many restarts in a row that gained next to nothing on its best
            lead; ``None`` never gives up.
        random_start: Start on the surface of the ball; False starts at the sample itself.
        diverse: Steps of length eps before every run along the gradient of a random mixture of the class scores:
            runs that start far apart in the scores find other ways out than runs that start far apart in the input
            (Tashiro, Song & Ermon 2020, arXiv:2003.06878, section 4.1).

    Raises:
        UsageError: The loss is unknown.
    """

    steps: int = 100
    loss: str = "ce"
    restarts: int = 1
    targets: int = 9
    random_start: bool = True
    give_up: float = 1.0
    patience: int | None = None
    diverse: int = 0

    def __post_init__(self) -> None:
        if self.loss not in _LOSS_NAMES:
            raise UsageError(f"Unknown loss {self.loss!r} for apgd.", expected=", ".join(_LOSS_NAMES))

    @property
    def length(self) -> int:
        """Steps over all restarts or targets, each with one query at its start."""
        runs = {"closest": self.targets + 1}.get(self.loss, self.restarts)
        return self._run_length * (self.targets if self.loss in _TARGETED else runs)

    @property
    def _run_length(self) -> int:
        return self.diverse + 1 + self.steps

    def init(self, oracle: Oracle, problem: Problem) -> APGDState:
        """Rank the classes by their score on the clean sample, true class last."""
        answer = oracle.scores(problem.ball.x)
        lead = _leads(answer, problem.y)
        scores = answer.scatter(1, problem.y[:, None], float("-inf"))
        image, number = torch.zeros_like(problem.ball.x), torch.zeros(len(problem.y), device=scores.device)
        flag = torch.zeros_like(number, dtype=torch.bool)
        ranking = scores.argsort(1, descending=True)
        return APGDState(
            delta=image,
            previous=image,
            grad=image,
            best=image,
            best_grad=image,
            loss=number,
            best_loss=number,
            best_at_check=number,
            reduced=flag,
            ascents=number,
            step_size=number,
            ranking=ranking,
            lead=lead,
            tried=torch.zeros_like(lead, dtype=torch.bool),
            target=ranking[:, 0],
            clean=lead.amax(1),
            idle=flag,
            gained=lead.amax(1),
            vain=number,
            sparsity=number,
            support=number,
        )

    def idle(self, state: APGDState) -> Tensor:
        """Samples (n,) bool that it has given up."""
        return state.idle

    def step(self, oracle: Oracle, problem: Problem, state: APGDState, t: int) -> APGDState:
        """Start a run, or move once and, at a checkpoint, review the step size."""
        run, i = divmod(t, self._run_length)
        if i == 0:
            state = self._place(problem, state, run, t)
        if i < self.diverse:
            return _diversify(oracle, problem, state, t - i)
        i -= self.diverse
        if i == 0:
            return self._start(oracle, problem, state, run)
        state = self._move(oracle, problem, state, run, first=i == 1)
        if problem.ball.space.norm is Norm.L1:
            return state if i % sparse.interval(self.steps) else _review_sparse(problem, state)
        if i not in checkpoints(self.steps):
            return state
        return _review(state, i - max((c for c in checkpoints(self.steps) if c < i), default=0))

    def _place(self, problem: Problem, state: APGDState, run: int, t: int) -> APGDState:
        """Choose where a run starts and what it aims at, and leave alone what it has given up."""
        delta = _random_edge(problem, t) if self.random_start else torch.zeros_like(state.delta)
        state = replace(state, delta=delta)
        if self.patience is not None and run:
            state = _patience(state, self.patience)
        if self.loss == "closest" and run:
            if self.give_up < 1:
                state = replace(state, idle=state.lead.amax(1) < self.give_up * state.clean)
            ahead = torch.where(state.tried, -torch.inf, state.lead)
            target = ahead.argmax(1)
            return replace(state, target=target, tried=state.tried.scatter(1, target[:, None], True))
        if self.loss in _TARGETED:
            return replace(state, target=state.ranking[:, run % (state.ranking.shape[1] - 1)])
        return state

    def _start(self, oracle: Oracle, problem: Problem, state: APGDState, run: int) -> APGDState:
        answer = self._gradient(oracle, problem, state, state.delta, run)
        return replace(
            state,
            previous=state.delta,
            grad=answer.grad,
            best=state.delta,
            best_grad=answer.grad,
            loss=answer.loss,
            best_loss=answer.loss,
            best_at_check=answer.loss,
            reduced=torch.ones_like(state.reduced),
            ascents=torch.zeros_like(state.ascents),
            step_size=torch.full_like(state.step_size, _first_step(problem)),
            sparsity=torch.full_like(state.sparsity, sparse.FIRST_SHARE),
            support=torch.ones_like(state.support),
            lead=torch.maximum(state.lead, _leads(answer.scores, problem.y)),
        )

    def _move(
        self, oracle: Oracle, problem: Problem, state: APGDState, run: int, *, first: bool
    ) -> APGDState:
        delta, moved = state.delta, _moved(problem, state, first=first)
        answer = self._gradient(oracle, problem, state, moved, run)
        better = answer.loss > state.best_loss
        return replace(
            state,
            delta=moved,
            previous=delta,
            grad=answer.grad,
            loss=answer.loss,
            best=where(better, moved, state.best),
            best_grad=where(better, answer.grad, state.best_grad),
            best_loss=torch.maximum(answer.loss, state.best_loss),
            lead=torch.maximum(state.lead, _leads(answer.scores, problem.y)),
            ascents=state.ascents + (answer.loss > (0 if first else state.loss)),
        )

    def _gradient(
        self, oracle: Oracle, problem: Problem, state: APGDState, delta: Tensor, run: int
    ) -> Gradient:
        loss = self.loss
        if loss == "closest":
            loss = "targeted_margin" if run else "probability_margin"
        labels = [problem.y, state.target] if loss in _TARGETED else [problem.y]
        return oracle.gradient(problem.ball.apply(delta), _LOSSES[loss], *labels)


def _first_step(problem: Problem) -> float:
    """Length of the first step: twice the radius, where the step has no sparsity to find."""
    eps = problem.ball.space.eps
    return eps if problem.ball.space.norm is Norm.L1 else 2 * eps


def _moved(problem: Problem, state: APGDState, *, first: bool) -> Tensor:
    """The next point: a projected step with momentum, or a sparse one under l1."""
    ball, delta, length = problem.ball, state.delta, rows(state.step_size, state.delta)
    if ball.space.norm is Norm.L1:
        return ball.project(delta + length * sparse.ascent(ball, delta, state.grad, state.sparsity))
    a = 1.0 if first else _MOMENTUM
    z = ball.project(delta + length * ball.ascent(delta, state.grad))
    return ball.project(delta + a * (z - delta) + (1 - a) * (delta - state.previous))


def _leads(scores: Tensor, y: Tensor) -> Tensor:
    """Each class's lead over the true class (n, classes); the true class itself never leads."""
    return (scores - scores.gather(1, y[:, None])).scatter(1, y[:, None], -torch.inf)


def _random_edge(problem: Problem, t: int) -> Tensor:
    """A random start on the surface of the ball: the authors' start, which beats one inside."""
    ball, shape, eps = problem.ball, problem.ball.x.shape[1:], problem.ball.space.eps
    if ball.space.norm is Norm.LINF:
        draw = 2 * problem.rng.uniform(t, *shape) - 1
        length = draw.flatten(1).abs().amax(1)
    else:
        draw = problem.rng.normal(t, *shape)
        length = draw.flatten(1).norm(p=1 if ball.space.norm is Norm.L1 else 2, dim=1)
    return ball.project(eps * draw / rows(length.clamp_min(1e-12), draw))


def _diversify(oracle: Oracle, problem: Problem, state: APGDState, begun: int) -> APGDState:
    """One step towards the run's own random mixture of the scores; ``begun`` is the step the run began with."""
    ball, mixture = problem.ball, 2 * problem.rng.uniform(begun, state.lead.shape[1], stream=_MIXTURE) - 1
    answer = oracle.gradient(ball.apply(state.delta), _mixed, mixture)
    return replace(
        state,
        delta=ball.project(state.delta + ball.space.eps * ball.ascent(state.delta, answer.grad)),
        lead=torch.maximum(state.lead, _leads(answer.scores, problem.y)),
    )


def _mixed(scores: Tensor, mixture: Tensor) -> Tensor:
    return (scores * mixture).sum(1)


def _patience(state: APGDState, most: int) -> APGDState:
    """Count the runs in vain, and give up after ``most`` of them."""
    lead = state.lead.amax(1)
    gains = lead - state.gained > -_NOTHING * state.clean
    vain = torch.where(gains, 0.0, state.vain + 1)
    return replace(
        state,
        gained=torch.where(gains, lead, state.gained),
        vain=vain,
        idle=state.idle | (vain >= most),
    )


def _review(state: APGDState, since: int) -> APGDState:
    """Halve the step and go back to the best point where the run oscillates or has stopped improving.

    Source: Croce & Hein 2020, section 3.1, conditions 1 and 2.
    """
    oscillates = state.ascents <= _ENOUGH_ASCENTS * since
    stalls = ~state.reduced & (state.best_at_check >= state.best_loss)
    halve = oscillates | stalls
    return replace(
        state,
        step_size=torch.where(halve, state.step_size / 2, state.step_size),
        delta=where(halve, state.best, state.delta),
        grad=where(halve, state.best_grad, state.grad),
        reduced=halve,
        best_at_check=state.best_loss,
        ascents=torch.zeros_like(state.ascents),
    )


def _review_sparse(problem: Problem, state: APGDState) -> APGDState:
    """Adapt sparsity and step to the support of the best point; go back to it where the support still shrinks."""
    share, step_size, shrinks = sparse.review(
        state.best, state.support, state.step_size, problem.ball.space.eps
    )
    return replace(
        state,
        sparsity=share / sparse.SPARSER,
        support=share,
        step_size=step_size,
        delta=where(shrinks, state.best, state.delta),
        grad=where(shrinks, state.best_grad, state.grad),
    )
