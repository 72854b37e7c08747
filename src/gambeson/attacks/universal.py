"""The universal perturbation: one perturbation for all inputs, inside the norm ball of a threat model."""

from __future__ import annotations

import torch
from torch import Tensor

from gambeson.attacks.geometry import Ball, PerturbationSet
from gambeson.attacks.harness import Samples
from gambeson.attacks.randomness import SampleRandom
from gambeson.attacks.shared import clipped_cross_entropy
from gambeson.core.reproduce import Seed
from gambeson.core.threat import Access
from gambeson.models.oracle import Oracle
from gambeson.models.passes import Passes


class Universal:
    """A perturbation (1, *shape) in units of the set's scale, fitted by ``shared.fit_shared``.

    Added to a sample, it is cut to the valid range, which never makes it larger.

    Args:
        passes: The model.
        samples: What it is fitted on.
        space: The perturbation set.
        seed: Of the random start.

    Attributes:
        oracle: The attacker's view of the model; it counts the queries.

    Source: Moosavi-Dezfooli et al. 2017, arXiv:1610.08401 (the threat); Shafahi et al. 2020, arXiv:1811.11304
    (fitting by gradient ascent over batches). Deviation: any norm, the step is the ball's steepest direction.
    """

    def __init__(self, passes: Passes, samples: Samples, space: PerturbationSet, seed: Seed) -> None:
        device = torch.device(passes.device)
        self._ball, self._y = space.around(samples.x.to(device)), samples.y.to(device)
        self._free = _around_nothing(space.to(device))
        self._rng = SampleRandom(torch.from_numpy(seed.keys(samples.index[:1])).to(device))
        self.oracle = Oracle(passes, Access.GRADIENT, rows=len(samples))

    def start(self) -> Tensor:
        """A random perturbation."""
        return self._free.random(self._rng, 0)

    def slope(self, value: Tensor, rows: Tensor, step: int) -> Tensor:
        """Mean gradient of the samples ``rows`` (indices)."""
        ball, y = self._ball.select(rows.to(value.device)), self._y[rows.to(value.device)]
        x = ball.apply(value.expand_as(ball.x))
        return self.oracle.gradient(x, clipped_cross_entropy, y, of=rows).grad.mean(0, keepdim=True)

    def move(self, value: Tensor, direction: Tensor, length: float) -> Tensor:
        """A step of ``length`` times eps, projected onto the ball."""
        step = length * self._free.space.eps * self._free.ascent(value, direction)
        return self._free.project(value + step)


def _around_nothing(space: PerturbationSet) -> Ball:
    """The set of perturbations that are valid for some sample: any change within the radius and the range."""
    nothing = torch.zeros_like(space.low)[None]
    span = torch.where(space.frozen, 0.0, (space.high - space.low) / space.scale)[None]
    return Ball(space, nothing, -span, span, space.limit(nothing))


def random_signs(ball: Ball, delta: Tensor, rng: SampleRandom) -> Tensor:
    """The inputs that a perturbation of the same size makes whose signs are random, feature by feature.

    What it does to a model is what any noise of that size does: the baseline of an attack.

    Args:
        ball: Around the samples.
        delta: (n, *shape) or (1, *shape) perturbations in units of the set's scale.
        rng: One generator per sample.
    """
    flipped = delta.abs() * rng.signs(0, *ball.x.shape[1:])
    return ball.apply(ball.project(ball.inside(flipped)))
