"""The prototype: ascend the probability of a class from a plain start, with a prior and under random views."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from gambeson.attacks.privacy.inversion.base import InversionFacts, InversionTask, inversions, log_odds
from gambeson.attacks.privacy.inversion.priors import Prior, Smooth, principal
from gambeson.attacks.privacy.inversion.views import look
from gambeson.core.threat import Access
from gambeson.models.oracle import Oracle

_FREDRIKSON = "Fredrikson et al. 2015, doi:10.1145/2810103.2813677, algorithm 1"
_FEWEST = 20


@inversions.register(
    "prototype",
    InversionFacts(
        Access.GRADIENT,
        0,
        f"{_FREDRIKSON}. Deviations: Adam, total variation, and a random view in each step (Athalye et al. 2018)",
    ),
)
@dataclass(frozen=True, slots=True)
class Prototype:
    """Free values of small total variation.

    Attributes:
        variation: Weight of the total variation.
        pull: Weight of the distance from the typical input.
    """

    variation: float = 0.02
    pull: float = 0.02

    def reconstruct(self, oracle: Oracle, task: InversionTask) -> Tensor:
        """Ascend from the typical input."""
        prior = Smooth(task.space, task.typical, self.variation, self.pull)
        return _ascend(oracle, task, prior)


@inversions.register(
    "principal",
    InversionFacts(Access.GRADIENT, _FEWEST, f"{_FREDRIKSON}, in the principal components of public inputs"),
)
@dataclass(frozen=True, slots=True)
class PrincipalPrototype:
    """The same in the principal components of what the attacker holds.

    Attributes:
        components: Most of them.
    """

    components: int = 80

    def reconstruct(self, oracle: Oracle, task: InversionTask) -> Tensor:
        """Ascend from near the mean."""
        return _ascend(oracle, task, principal(task.public, task.space, self.components))


def _ascend(oracle: Oracle, task: InversionTask, prior: Prior) -> Tensor:
    typical = task.typical
    z = prior.start(task.random).requires_grad_(True)
    optimizer = torch.optim.Adam([z], lr=prior.rate)
    for step in range(min(task.steps, int(oracle.left.min()))):
        with torch.enable_grad():
            seen = look(prior.decode(z), task.space, task.random, 1 + step, typical)
            x, unlikely = task.space.to_input(seen), prior.penalty(z).sum()
        slope = oracle.gradient(x.detach(), log_odds, task.classes).grad
        z.grad = torch.autograd.grad((unlikely, x), z, (torch.ones(()), -slope))[0]
        optimizer.step()
    return task.space.valid(prior.decode(z.detach()))
