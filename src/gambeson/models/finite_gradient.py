"""A model whose gradient is finite: what is NaN counts as 0, what is infinite as the largest that is finite."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from gambeson.models.model import Differentiable, ModelInfo


class FiniteGradient:
    """A model that answers as the original does; only the gradient with respect to its input is mended.

    Args:
        model: The original, e.g. one that takes a square root, whose slope at 0 is infinite.
    """

    def __init__(self, model: Differentiable) -> None:
        self._model = model

    @property
    def info(self) -> ModelInfo:
        """That of the model."""
        return self._model.info

    @property
    def device(self) -> str:
        """That of the model."""
        return self._model.device

    def forward(self, x: Tensor) -> Tensor:
        """The model's scores (n, classes)."""
        if not (torch.is_grad_enabled() and x.requires_grad):
            return self._model.forward(x)
        watched = x.clone()
        watched.register_hook(_mend)  # type: ignore[no-untyped-call]
        return self._model.forward(watched)

    def scores(self, x: np.ndarray) -> np.ndarray:
        """The model's scores (n, classes)."""
        return self._model.scores(x)


def _mend(grad: Tensor) -> Tensor:
    """The gradient without NaN and infinity, row by row."""
    size = torch.where(grad.isfinite(), grad, 0).abs().flatten(1).amax(1).clamp_min(1e-12)
    most = size.reshape(-1, *[1] * (grad.dim() - 1))
    return torch.where(grad.isnan(), 0, grad.maximum(-most).minimum(most))
