"""Search by scores alone: an evolution strategy in the principal components of public inputs."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from gambeson.attacks.privacy.inversion.base import InversionFacts, InversionTask, inversions, log_odds
from gambeson.attacks.privacy.inversion.priors import Principal, principal
from gambeson.attacks.privacy.inversion.views import look
from gambeson.core.threat import Access
from gambeson.models.oracle import Oracle


@inversions.register(
    "search",
    InversionFacts(
        Access.SCORES,
        20,
        "Wierstra et al. 2014, arXiv:1106.4487, section 6.2 (separable natural evolution strategy), in principal "
        "components and under random views",
    ),
)
@dataclass(frozen=True, slots=True)
class Search:
    """A normal distribution whose mean and spread follow the candidates that the model likes best.

    Attributes:
        components: Most principal components.
        population: Candidates in each step.
        spread: Standard deviation at the start.
    """

    components: int = 40
    population: int = 24
    spread: float = 0.7

    def reconstruct(self, oracle: Oracle, task: InversionTask) -> Tensor:
        """``population`` queries in each step for each wish."""
        prior = principal(task.public, task.space, self.components)
        m, k = len(task.classes), len(prior.basis)
        mean, deviation = torch.zeros(m, k), torch.full((m, k), self.spread)
        weights, rate = _utilities(self.population), (3 + math.log(k)) / (5 * k**0.5)
        for step in range(min(task.steps, int(oracle.left.min()) // self.population)):
            half = task.random.normal(1 + step, self.population // 2, k)
            drawn = torch.cat([half, -half], 1)
            value = self._values(oracle, task, prior, mean[:, None] + deviation[:, None] * drawn, step)
            order = value.argsort(dim=1, descending=True, stable=True)
            ranked = drawn.gather(1, order[:, :, None].expand_as(drawn))
            mean = mean + deviation * (weights[:, None] * ranked).sum(1)
            deviation = deviation * (rate / 2 * (weights[:, None] * (ranked.square() - 1)).sum(1)).exp()
        return task.space.valid(prior.decode(mean))

    def _values(self, oracle: Oracle, task: InversionTask, prior: Principal, z: Tensor, step: int) -> Tensor:
        """(m, population): log-probability of the wanted class under one view that all candidates of a wish share."""
        m, count, _ = z.shape
        of = torch.arange(m).repeat_interleave(count)
        flat = z.flatten(0, 1)
        seen = look(prior.decode(flat), task.space, task.random.select(of), 1 + step, task.typical)
        scores = oracle.scores(task.space.to_input(seen), of=of)
        return (log_odds(scores, task.classes[of]) - prior.penalty(flat)).reshape(m, count)


def _utilities(population: int) -> Tensor:
    """(population,) weights of the candidates from best to worst: they sum to 0."""
    raw = (math.log(population / 2 + 1) - torch.arange(1, population + 1).double().log()).clamp_min(0)
    return (raw / raw.sum() - 1 / population).float()
