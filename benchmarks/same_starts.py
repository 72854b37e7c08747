"""Lets the peers start their attacks from the very points that ours starts from, so that luck decides nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from unittest.mock import patch

import numpy as np
import torch
import torchattacks
from art.attacks.evasion import auto_projected_gradient_descent as art_apgd
from art.attacks.evasion.projected_gradient_descent import projected_gradient_descent_pytorch as art_pgd
from torch import Tensor

from gambeson.attacks.geometry import Ball, PerturbationSet
from gambeson.attacks.harness import Samples
from gambeson.attacks.randomness import SampleRandom
from gambeson.core.reproduce import Seed


class Starts:
    """Our random starts under linf for one seed: a function of sample, restart and nothing else.

    Attributes:
        samples: What is attacked.
    """

    def __init__(self, samples: Samples, space: PerturbationSet, seed: int) -> None:
        self.samples = samples
        self._ball: Ball = space.around(samples.x)
        self._random = SampleRandom(torch.from_numpy(Seed(seed).keys(samples.index)))

    def inside(self) -> Tensor:
        """(n, *shape) PGD's perturbations at its start."""
        return self._ball.random(self._random, 0)

    def draw(self, step: int) -> Tensor:
        """(n, *shape) in [0, 1): what Auto-PGD stretches to the surface of the ball when it starts at ``step``."""
        return self._random.uniform(step, *self.samples.x.shape[1:])

    def edge(self) -> Tensor:
        """(n, *shape) Auto-PGD's perturbations at its first start."""
        wide = 2 * self.draw(0) - 1
        tall = wide.flatten(1).abs().amax(1).reshape(-1, *[1] * (wide.dim() - 1))
        return self._ball.project(self._ball.space.eps * wide / tall)

    def rows(self, x: Tensor) -> Tensor:
        """Which samples the inputs ``x`` are."""
        known = {sample.numpy().tobytes(): row for row, sample in enumerate(self.samples.x)}
        return torch.tensor([known[sample.detach().numpy().tobytes()] for sample in x])


@contextmanager
def started_at(starts: Starts) -> Iterator[None]:
    """Every random start of torchattacks' and ART's PGD and Auto-PGD is ours, sample by sample."""
    with ExitStack() as stack:
        stack.enter_context(patch.object(torch.Tensor, "uniform_", lambda *_: starts.inside()))
        for module, points in ((art_pgd, starts.inside), (art_apgd, starts.edge)):
            stack.enter_context(patch.object(module, "random_sphere", _sphere(points())))
        for attack in (torchattacks.APGD, torchattacks.APGDT):
            stack.enter_context(patch.object(attack, "attack_single_run", _single_run(attack, starts)))
        yield


def _sphere(points: Tensor) -> Callable[..., np.ndarray]:
    """ART's ``random_sphere(n, size, eps, norm)``, batch after batch."""
    left = points.flatten(1).numpy()

    def sphere(n: int, *_: object) -> np.ndarray:
        nonlocal left
        taken, left = left[:n], left[n:]
        assert len(taken) == n, "ART started more often than once on a sample"
        return taken

    return sphere


def _single_run(attack: type, starts: Starts) -> Callable[..., object]:
    """The run of torchattacks from one start; the targeted attack makes one for each class, on what stands."""
    original, runs = attack.attack_single_run, iter(range(1_000))  # type: ignore[attr-defined]

    def single_run(self: torchattacks.APGD, x: Tensor, y: Tensor) -> object:
        draw = starts.draw(next(runs) * (self.steps + 1))[starts.rows(x)]
        with patch.object(torch, "rand", lambda *_: draw):
            return original(self, x, y)

    return single_run
