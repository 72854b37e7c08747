"""Inversion by labels alone: walk away from the border of the class, in the principal components of public inputs."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from gambeson.attacks.privacy.inversion.base import InversionFacts, InversionTask, inversions
from gambeson.attacks.privacy.inversion.priors import Principal, principal
from gambeson.core.threat import Access
from gambeson.models.oracle import Oracle

_WIDER = 1.3
_NARROWER = 0.95
_TRIES = 40


@inversions.register(
    "boundary",
    InversionFacts(
        Access.LABELS,
        20,
        "Kahla et al. 2022 (BREP-MI), arXiv:2203.06580, algorithm 1. Deviations: principal components instead of a "
        "GAN, a largest distance from their mean, and a sphere that shrinks while it is not wholly inside",
    ),
)
@dataclass(frozen=True, slots=True)
class Boundary:
    """Labels on a sphere around the candidate tell where the class goes on; inside it the sphere grows.

    Attributes:
        components: Most principal components.
        points: Points on the sphere in each step.
        radius: Of the first sphere, in standard deviations.
        length: Of a step, in radii.
        reach: Furthest distance from the mean, in lengths of a typical input.
    """

    components: int = 40
    points: int = 32
    radius: float = 2.0
    length: float = 0.33
    reach: float = 1.2

    def reconstruct(self, oracle: Oracle, task: InversionTask) -> Tensor:
        """``points`` queries in each step for each wish."""
        prior = principal(task.public, task.space, self.components)
        m, k = len(task.classes), len(prior.basis)
        z = self._start(oracle, task, prior)
        best, radius, widest = z.clone(), torch.full((m,), self.radius), torch.zeros(m)
        # A start further out is not pulled back: it would leave its class.
        limit = z.norm(dim=1, keepdim=True).clamp_min(self.reach * k**0.5)
        for step in range(min(task.steps, int(oracle.left.min()) // self.points)):
            drawn = task.random.normal(1 + step, self.points, k)
            around = drawn / drawn.norm(dim=2, keepdim=True)
            inside = self._inside(oracle, task, prior, z[:, None] + radius[:, None, None] * around)
            whole = inside.all(1)
            better = whole & (radius > widest)
            best[better], widest[better] = z[better], radius[better]
            radius = radius * torch.where(whole, _WIDER, torch.where(inside.any(1), _NARROWER, 1 / _WIDER))
            away = -(around * ~inside[:, :, None]).sum(1)  # from the points outside
            away = torch.where(inside.any(1, keepdim=True), away, torch.zeros_like(away))
            length = away.norm(dim=1, keepdim=True).clamp_min(1e-12)
            z = torch.where(whole[:, None], z, z + self.length * radius[:, None] * away / length)
            z = z * (limit / z.norm(dim=1, keepdim=True).clamp_min(1e-12)).clamp_max(1)
        return task.space.valid(prior.decode(best))

    def _start(self, oracle: Oracle, task: InversionTask, prior: Principal) -> Tensor:
        """Random inputs, ever further from the mean, until the model gives one of them the wanted class."""
        z, open_ = (
            torch.zeros(len(task.classes), len(prior.basis)),
            torch.ones(len(task.classes), dtype=torch.bool),
        )
        tries = min(_TRIES, int(oracle.left.min()) // self.points // 2)
        for attempt in range(tries):
            rows = open_.nonzero().squeeze(1)
            if not len(rows):
                break
            size = 0.5 + 2.5 * attempt / tries
            drawn = size * task.random.select(rows).normal(attempt, self.points, len(prior.basis), stream=4)
            inside = self._inside(oracle, task, prior, drawn, rows)
            found = inside.any(1)
            z[rows[found]] = drawn[found, inside[found].int().argmax(1)]
            open_[rows[found]] = False
        return _shared(z, open_, task.classes)

    def _inside(
        self, oracle: Oracle, task: InversionTask, prior: Principal, z: Tensor, rows: Tensor | None = None
    ) -> Tensor:
        """(m, points): whether the model gives each point the wanted class."""
        m, count, _ = z.shape
        of = (torch.arange(m) if rows is None else rows).repeat_interleave(count)
        x = task.space.to_input(prior.decode(z.flatten(0, 1)))
        return (oracle.labels(x, of=of) == task.classes[of]).reshape(m, count)


def _shared(z: Tensor, open_: Tensor, classes: Tensor) -> Tensor:
    """A wish that found no start takes that of another one of its class."""
    for row in open_.nonzero().squeeze(1).tolist():
        others = ((classes == classes[row]) & ~open_).nonzero().squeeze(1)
        if len(others):
            z[row] = z[others[row % len(others)]]
    return z
