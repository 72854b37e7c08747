"""A classifier's logits at a natural scale: taken from behind its softmax, and cooled down where they are huge."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode

from gambeson.models.model import Differentiable, ModelInfo

_SOFTMAX = frozenset({"softmax", "log_softmax"})
_GAP = 5.0
"""Median lead of the best class over the second one, in logits, from which a scale counts as natural: the softmax
then gives it 99%, and float32 still tells what is missing to 1."""


class NaturalLogits:
    """A model that ranks the classes as the original does, and whose cross-entropy is not saturated.

    If the last thing the original does is a softmax, this stops short of it. The logits are divided by one number.

    Args:
        model: The original.
        x: (n, *shape) inputs on the model's device that tell the scale.

    Source: Carlini & Wagner 2017, arXiv:1608.04644, section VIII (against defensive distillation).
    """

    def __init__(self, model: Differentiable, x: Tensor) -> None:
        self._model = model
        with torch.no_grad():
            scores, behind = self._watched(x)
        raw = behind or model.info.scores == "logits"
        self._behind, self._scale = behind, max(_lead(scores) / _GAP, 1.0) if raw else 1.0
        self.info: ModelInfo = replace(model.info, scores="logits" if raw else model.info.scores)

    @property
    def device(self) -> str:
        """That of the model."""
        return self._model.device

    def forward(self, x: Tensor) -> Tensor:
        """Logits (n, classes), or the model's scores where there are none to be had."""
        scores = self._watched(x)[0] if self._behind else self._model.forward(x)
        return scores / self._scale

    def scores(self, x: np.ndarray) -> np.ndarray:
        """The same for arrays."""
        with torch.no_grad():
            found: np.ndarray = self.forward(torch.from_numpy(x).to(self.device)).float().cpu().numpy()
        return found

    def _watched(self, x: Tensor) -> tuple[Tensor, bool]:
        """The model's answer or, with True, what its last function made it from by a softmax."""
        with _Softmax() as seen:
            scores = self._model.forward(x)
        inside = seen.inputs.get(id(scores))
        return (scores, False) if inside is None else (inside[1], True)


class _Softmax(TorchFunctionMode):
    """Notes the argument of every softmax of one forward pass, by the id of its answer."""

    def __init__(self) -> None:
        super().__init__()
        self.inputs: dict[int, tuple[Tensor, Tensor]] = {}

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Sequence[type],
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        """What the function gives."""
        found = func(*args, **(kwargs or {}))
        packet = getattr(func, "overloadpacket", func)
        if getattr(packet, "__name__", "") in _SOFTMAX and args and args[0].shape == found.shape:
            self.inputs[id(found)] = (found, args[0])
        return found


def _lead(scores: Tensor) -> float:
    """Median lead of the best class over the second."""
    top = scores.topk(2, dim=1).values
    return float((top[:, 0] - top[:, 1]).median())
