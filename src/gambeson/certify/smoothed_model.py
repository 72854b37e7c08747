"""The smoothed classifier as something that can be attacked: its vote, made differentiable, and its judge.

Source: Salman et al. 2019, Provably robust deep learning via adversarially trained smoothed classifiers,
arXiv:1906.04584, section 3.1: the attack ascends the loss of the mean probability over noise.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from gambeson.attacks.ensemble import Stage, run_in_turn
from gambeson.attacks.geometry import PerturbationSet
from gambeson.attacks.harness import Run, Samples
from gambeson.certify.brackets import Attacked
from gambeson.certify.smoothing import ABSTAIN, SmoothedAnswers, Smoothing, predict_smoothed
from gambeson.core.reproduce import Seed
from gambeson.models.model import Differentiable, ModelInfo
from gambeson.models.passes import Passes

_TINY = 1e-30


class SmoothedScores:
    """Log of the mean probability over a fixed set of noises: the same answer each time.

    Args:
        model: The base model.
        sigma: Standard deviation of the noise, in input units.
        draws: Noises.
        seed: They are drawn from.
    """

    def __init__(self, model: Differentiable, sigma: float, draws: int, seed: Seed) -> None:
        self._model, self._draws = model, draws
        generator = torch.Generator().manual_seed(seed.integer())
        self._noise = (sigma * torch.randn(draws, *model.info.shape, generator=generator)).to(model.device)

    @property
    def info(self) -> ModelInfo:
        """That of the model, with logits."""
        return replace(self._model.info, scores="logits")

    @property
    def device(self) -> str:
        """That of the model."""
        return self._model.device

    def forward(self, x: Tensor) -> Tensor:
        """Log mean probabilities (n, classes) of (n, *shape)."""
        parts = [self._log_probabilities(x + noise) for noise in self._noise]
        return torch.logsumexp(torch.stack(parts), 0) - math.log(self._draws)

    def scores(self, x: np.ndarray) -> np.ndarray:
        """The same for arrays, without gradients."""
        with torch.no_grad():
            return self.forward(torch.from_numpy(x).to(self.device)).cpu().numpy()

    def _log_probabilities(self, x: Tensor) -> Tensor:
        scores = self._model.forward(x)
        return (
            scores.clamp_min(_TINY).log()
            if self._model.info.scores == "probabilities"
            else scores.log_softmax(1)
        )


def attack_smoothed(
    stages: Sequence[Stage],
    model: Differentiable,
    passes: Passes,
    samples: Samples,
    space: PerturbationSet,
    radii: Sequence[float],
    answers: SmoothedAnswers,
    *,
    how: Smoothing,
    draws: int,
    run: Run,
) -> Attacked:
    """Attack the smoothed classifier at each radius, smallest first.

    A sample counts as broken where PREDICT, with fresh noise and error at most ``how.alpha``, gives another class
    on what the attack found; an abstention there counts for the defender.

    Args:
        stages: Attacks with gradients, under l2.
        model: The base model.
        passes: Runs it.
        samples: What was certified.
        space: The perturbation set at any radius.
        radii: Ascending.
        answers: What CERTIFY said of the samples.
        how: Noise, copies and alpha of PREDICT.
        draws: Noises over which the attack averages.
        run: Seeds, deadline, journal.

    Raises:
        ModelError: The model answered with something unusable.
    """
    smoothed = Passes(SmoothedScores(model, how.sigma, draws, run.seed.child("noise")), passes.rows)
    correct = answers.predicted == samples.y.numpy()
    fallen = np.zeros((len(radii), len(samples)), bool)
    broken, unfinished = np.zeros(len(samples), bool), 0
    for row, radius in enumerate(radii):
        name = f"{radius:.6g}"
        todo = np.flatnonzero(correct & ~broken)
        branch = replace(run, seed=run.seed.child(name), key=f"{run.key}/{name}")
        part = samples.select(torch.from_numpy(todo))
        found = run_in_turn(stages, smoothed, part, space.with_eps(radius), run=branch)
        unfinished = max(unfinished, found.unfinished)
        hit = todo[found.fallen]
        taken = samples.select(torch.from_numpy(hit))
        finds = torch.from_numpy(found.adversarial[found.fallen])
        moved = Samples(
            _as_far_as_allowed(smoothed, taken, finds, space.with_eps(radius)), taken.y, taken.index
        )
        verdict = predict_smoothed(passes, moved, how, branch.seed.child("judge"))
        broken[hit[(verdict != ABSTAIN) & (verdict != moved.y.numpy())]] = True
        fallen[row] = broken
    return Attacked(correct, fallen, unfinished)


def _as_far_as_allowed(smoothed: Passes, samples: Samples, found: Tensor, space: PerturbationSet) -> Tensor:
    """Each find, or the point at the edge of the ball in its direction where the true class is less probable.

    An attack stops where the vote turns; there the judge, who wants to be sure, would only abstain.
    """
    if not len(found):
        return found
    ball = space.around(samples.x)
    delta = (found - samples.x) / space.scale
    length = space.measure(delta).clamp_min(1e-12).reshape(-1, *[1] * (delta.dim() - 1))
    edge = ball.apply(ball.project(delta * (space.eps / length)))
    here, there = (
        smoothed.scores(x.to(smoothed.device)).cpu().log_softmax(1).gather(1, samples.y[:, None])
        for x in (found, edge)
    )
    return torch.where((there < here).reshape(length.shape), edge, found)
