"""Expectation over a model's own randomness (EOT): answers and gradients averaged over several passes."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from gambeson.models.model import Differentiable, ModelInfo


class Averaged:
    """A randomised model as its mean answer.

    Args:
        model: Answers differently each time.
        draws: Passes per answer; their gradients are averaged too.

    Source: Athalye et al. 2018, arXiv:1707.07397, section 2.1 (EOT).
    """

    def __init__(self, model: Differentiable, draws: int) -> None:
        self._model, self._draws = model, draws

    @property
    def info(self) -> ModelInfo:
        """That of the model."""
        return self._model.info

    @property
    def device(self) -> str:
        """That of the model."""
        return self._model.device

    def forward(self, x: Tensor) -> Tensor:
        """Mean scores (n, classes) over the draws."""
        return torch.stack([self._model.forward(x) for _ in range(self._draws)]).mean(0)

    def scores(self, x: np.ndarray) -> np.ndarray:
        """Mean scores (n, classes) over the draws."""
        mean: np.ndarray = np.mean([self._model.scores(x) for _ in range(self._draws)], 0)
        return mean
