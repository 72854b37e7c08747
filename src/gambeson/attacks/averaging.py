"""Expectation over a model's own randomness (EOT): answers and gradients averaged over several passes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch
from torch import Tensor

from gambeson.core.reproduce import Seed
from gambeson.models.model import Differentiable, Model, ModelInfo


class AveragedScores:
    """A randomised model as its mean answer; for one without gradients.

    Each answer takes fresh draws. Those that a model takes from torch's generator follow from the seed, so that the
    same questions in the same order get the same answers.

    Args:
        model: Answers differently each time.
        draws: Passes per answer.
        seed: Of the draws.
    """

    def __init__(self, model: Model, draws: int, seed: Seed) -> None:
        self._model, self._draws = model, draws
        self._seeds = seed.generator()

    @property
    def info(self) -> ModelInfo:
        """That of the model."""
        return self._model.info

    def scores(self, x: np.ndarray) -> np.ndarray:
        """Mean scores (n, classes) over the draws."""
        with self._fresh():
            mean: np.ndarray = np.mean([self._model.scores(x) for _ in range(self._draws)], 0)
        return mean

    @contextmanager
    def _fresh(self) -> Iterator[None]:
        """Torch's generator at a new place; the caller's stream does not notice."""
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(int(self._seeds.integers(2**63)))
            yield


class Averaged(AveragedScores):
    """The same for a model with gradients, which are averaged too.

    Source: Athalye et al. 2018, arXiv:1707.07397, section 2.1 (EOT).
    """

    def __init__(self, model: Differentiable, draws: int, seed: Seed) -> None:
        super().__init__(model, draws, seed)
        self._differentiable = model

    @property
    def device(self) -> str:
        """That of the model."""
        return self._differentiable.device

    def forward(self, x: Tensor) -> Tensor:
        """Mean scores (n, classes) over the draws."""
        with self._fresh():
            return torch.stack([self._differentiable.forward(x) for _ in range(self._draws)]).mean(0)


def average(model: Model, draws: int, seed: Seed) -> Model:
    """The model as its mean answer, with gradients where it has them."""
    if isinstance(model, Differentiable):
        return Averaged(model, draws, seed)
    return AveragedScores(model, draws, seed)
