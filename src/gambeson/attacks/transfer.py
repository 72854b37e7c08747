"""The transfer attack: examples made on a surrogate, given to a target that was never looked into."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from gambeson.attacks.base import EvasionAttack, Problem, evasion
from gambeson.attacks.geometry import PerturbationSet
from gambeson.attacks.harness import Run, Samples
from gambeson.attacks.randomness import SampleRandom
from gambeson.core.errors import InsufficientEvidence
from gambeson.core.threat import Access
from gambeson.models.oracle import Oracle
from gambeson.models.passes import Passes

_TOGETHER = 256
"""Samples that move together."""


def craft_on(surrogate: Passes, samples: Samples, space: PerturbationSet, steps: int, run: Run) -> Tensor:
    """Perturbations (n, *shape) that raise the surrogate's loss as far as momentum PGD goes.

    Unlike an attack on the model itself it does not stop where the surrogate is fooled: what goes deeper into
    another class transfers better.

    Args:
        surrogate: Gives gradients.
        samples: What to perturb.
        space: The perturbation set.
        steps: Gradient steps.
        run: Seeds, deadline, journal, progress: one unit of work for each sample and step.

    Raises:
        InsufficientEvidence: Time ran out.
        ModelError: The surrogate answered with something unusable.

    Source: Dong et al. 2018, arXiv:1710.06081, algorithm 1.
    """
    attack = evasion["pgd"].plugin(steps=steps, random_start=False, momentum=1.0)
    parts = []
    for rows in torch.split(torch.arange(len(samples)), _TOGETHER):
        key = f"{run.key}/crafted/{int(rows[0])}-{int(rows[-1])}"
        kept = run.journal.load(key)
        if kept is None:
            delta = _ascend(attack, steps, surrogate, samples.select(rows), space, run)
            run.journal.save(key, {"delta": delta.numpy()})
        else:
            delta = torch.from_numpy(kept["delta"])
            run.report(len(rows) * steps, 0)
        parts.append(delta)
    return torch.cat(parts)


def _ascend(
    attack: EvasionAttack[Any],
    steps: int,
    surrogate: Passes,
    samples: Samples,
    space: PerturbationSet,
    run: Run,
) -> Tensor:
    """The perturbations after so many steps on all samples, fallen or not."""
    device = torch.device(surrogate.device)
    ball, y = space.around(samples.x.to(device)), samples.y.to(device)
    rng = SampleRandom(torch.from_numpy(run.seed.keys(samples.index)).to(device))
    oracle = Oracle(surrogate, Access.GRADIENT, rows=len(samples))
    problem = Problem(y, ball, rng, attack.length, ball.x[:0])
    with torch.no_grad():
        state = attack.init(oracle, problem)
        for t in range(steps):
            if run.deadline is not None and run.clock() >= run.deadline:
                raise InsufficientEvidence(
                    f"Time ran out after {t} of {steps} steps on the surrogate.",
                    remedy="allow more time, or choose a quicker profile",
                )
            state = attack.step(oracle, problem, state, t)
            run.report(len(samples), 0)
    delta: Tensor = state.delta.cpu()
    return delta
