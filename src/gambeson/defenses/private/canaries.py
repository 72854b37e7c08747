"""Tests a promise of privacy in one run: canaries that were in or out, guessed from what training gave out.

A correct training that claims epsilon can be guessed right only so often. A lower bound above the claim proves a
mistake; one below it proves nothing.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from torch import Tensor, nn

from gambeson.attacks.harness import Run
from gambeson.core.errors import UsageError
from gambeson.core.reproduce import Seed
from gambeson.core.stats import wilson
from gambeson.data.dataset import ArraySplit
from gambeson.defenses.private.accounting import Mechanism, noise_for
from gambeson.defenses.private.draws import Draws, SecretDraws
from gambeson.defenses.private.loop import PrivatelyTrained, PrivateTask, train_privately
from gambeson.defenses.private.plan import PrivatePlan
from gambeson.models.probing import Answer
from gambeson.models.torch_trainee import Trainee

_GUESSED = 50
"""One canary in so many is guessed, half of them to be in and half to be out; fixed before any audit was made."""
_MOST = 50.0
_LEVEL = 0.05

Train = Callable[[Trainee, PrivateTask], PrivatelyTrained]


@dataclass(frozen=True, slots=True)
class CanaryAudit:
    """What the guesses say of a training.

    Attributes:
        canaries: Canaries, half of them in.
        guesses: Guesses that the bound rests on.
        right: How many of them were right.
        claimed: The epsilon that the training claims.
        delta: The delta that it claims.
        bound: Lower bound of epsilon at this delta, with ``confidence``.
        confidence: Probability that a correct training is given a bound no higher than what it keeps.
    """

    canaries: int
    guesses: int
    right: int
    claimed: float
    delta: float
    bound: float
    confidence: float

    @property
    def refuted(self) -> bool:
        """Whether the training cannot be as private as it claims."""
        return self.bound > self.claimed

    def __str__(self) -> str:
        band = wilson(self.right, self.guesses)
        return (
            f"{self.right} of {self.guesses} guesses right ({self.right / self.guesses:.1%} "
            f"[{band.low:.1%}, {band.high:.1%}], {self.canaries} canaries): epsilon is at least {self.bound:.2f} "
            f"({self.confidence:.0%} confidence); {self.claimed:.2f} is claimed"
        )


def audit_training(
    mechanism: Mechanism,
    claimed: float,
    delta: float,
    *,
    seed: Seed,
    canaries: int = 100_000,
    train: Train = train_privately,
) -> CanaryAudit:
    """Train a network made of canaries with a mechanism, and guess which of them it was trained on.

    Each canary is a row whose gradient is alone in a direction of its own (a Dirac canary): nothing hides it but
    sampling and noise. What is tested is the code of the training, not one network.

    Args:
        mechanism: Noise, sampling and steps, as they are claimed.
        claimed: The epsilon that is claimed at ``delta``.
        delta: See there.
        seed: Decides which canaries are in.
        canaries: How many.
        train: What is tested.

    Raises:
        UsageError: There are too few canaries.

    Source: Steinke, Nasr & Jagielski 2023, arXiv:2305.08846, algorithm 1 and section 6 (white-box, Dirac canaries).
    """
    if canaries < 2 * _GUESSED:
        raise UsageError(f"{canaries} canaries", expected=f"at least {2 * _GUESSED}")
    told = seed.child("canaries").generator().random(canaries) < 0.5
    return judge_canaries(
        _scores(mechanism, np.flatnonzero(told), canaries, seed, train), told, claimed, delta
    )


def self_test(epsilon: float, seed: Seed, draws: Draws | None = None) -> CanaryAudit:
    """Audit this installation: ten steps on all rows, with the noise that keeps to ``epsilon``.

    Args:
        epsilon: The claim.
        seed: Decides which canaries are in.
        draws: Where chance comes from; the operating system by default.
    """
    mechanism, delta = noise_for(epsilon, 1e-5, Mechanism(1.0, 1.0, 10)), 1e-5
    source = SecretDraws() if draws is None else draws

    def train(trainee: Trainee, task: PrivateTask) -> PrivatelyTrained:
        return train_privately(trainee, replace(task, draws=source))

    return audit_training(mechanism, epsilon, delta, seed=seed, train=train)


class _Table(nn.Module):
    """One logit for each canary; its number is its only feature."""

    def __init__(self, canaries: int) -> None:
        super().__init__()
        self.logits = nn.Embedding(canaries, 1)
        nn.init.zeros_(self.logits.weight)

    def forward(self, x: Tensor) -> Tensor:
        """(n, 1) of (n,)."""
        found: Tensor = self.logits(x.long())
        return found


def _scores(mechanism: Mechanism, inside: np.ndarray, canaries: int, seed: Seed, train: Train) -> np.ndarray:
    """(canaries,) how far training moved the logit of each canary; steps are so small that gradients stay the same."""
    plan = PrivatePlan(
        batch=max(1, round(mechanism.rate * len(inside))),
        clip=0.1,
        learning_rate=1e-3,
        momentum=0.0,
        average=0.0,
        at_once=8_192,
    )
    split = ArraySplit(inside.astype(np.float32), np.ones(len(inside), np.int64))
    table = _Table(canaries)
    run = Run(seed.child("audit"))
    train(
        Trainee(table, "cpu", Answer("logits", True)), PrivateTask(plan, mechanism, split, SecretDraws(), run)
    )
    return table.logits.weight.detach()[:, 0].numpy().astype(np.float64)


def judge_canaries(scores: np.ndarray, inside: np.ndarray, claimed: float, delta: float) -> CanaryAudit:
    """The bound from scores that are high for canaries that were in.

    The best of three is taken, with a third of the level for each: guesses of both kinds, only those to be in, which a
    leak shows in, and only those to be out.

    Args:
        scores: (m,).
        inside: (m,) bool, drawn independently with probability 1/2.
        claimed: The epsilon that is claimed.
        delta: At this delta.
    """
    half = len(scores) // _GUESSED // 2
    order = np.argsort(scores, kind="stable")
    caught, spared = int(inside[order[-half:]].sum()), int((~inside[order[:half]]).sum())
    ways = ((caught + spared, 2 * half), (caught, half), (spared, half))
    level = _LEVEL / len(ways)
    bounds = [epsilon_bound(len(scores), guesses, right, delta, level) for right, guesses in ways]
    right, guesses = ways[int(np.argmax(bounds))]
    return CanaryAudit(len(scores), guesses, right, claimed, delta, max(bounds), 1 - _LEVEL)


def epsilon_bound(canaries: int, guesses: int, right: int, delta: float, level: float = _LEVEL) -> float:
    """The largest epsilon that so many right guesses refute at a level; 0 where they refute none."""
    low, high = 0.0, _MOST
    if _p_value(canaries, guesses, right, 0.0, delta) >= level:
        return 0.0
    for _ in range(50):
        middle = (low + high) / 2
        refuted = _p_value(canaries, guesses, right, middle, delta) < level
        low, high = (middle, high) if refuted else (low, middle)
    return low


def _p_value(canaries: int, guesses: int, right: int, epsilon: float, delta: float) -> float:
    """Probability of at least so many right guesses where (epsilon, delta) holds.

    Source: Steinke, Nasr & Jagielski 2023, theorem 5.2, as in the code of their appendix D.
    """
    chances = _binomial(guesses, 1 / (1 + math.exp(-epsilon)))
    tail = float(chances[right:].sum())
    below = np.cumsum(chances[:right][::-1])
    worst = float((below / np.arange(1, right + 1)).max()) if right else 0.0
    return min(1.0, tail + 2 * canaries * delta * worst)


def _binomial(n: int, chance: float) -> np.ndarray:
    """(n + 1,) probabilities of 0 to n successes."""
    k = np.arange(n + 1)
    factorials = np.concatenate([[0.0], np.cumsum(np.log(np.arange(1, n + 1)))])
    with np.errstate(divide="ignore", invalid="ignore"):
        logs = factorials[n] - factorials[k] - factorials[n - k]
        logs = logs + k * np.log(chance) + np.where(n - k > 0, (n - k) * np.log1p(-chance), 0.0)
    return np.asarray(np.exp(logs))
