"""Model passes: blocks of rows in, scores or input gradients out, the same bits whatever the batch size.

Matrix and convolution kernels treat the rows of a partly filled tile with different code, so a sample's
last bits depend on how many rows travel with it. Blocks are therefore padded to a multiple of ``LANE``
rows: measured on convolutional networks and perceptrons, a row's result is then the same bits in every
block and at every place in it (docs/decisions/0003).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from gambeson.core.errors import GambesonError, ModelError
from gambeson.models.model import Differentiable, GainsFromHalf, Model

LANE = 8
"""Rows per block are a multiple of this."""
MOST_ROWS = 128
"""Rows per block unless told otherwise: small networks gain up to a tenth over 64, large ones neither gain nor lose."""
_MOST_VALUES = 2**22
"""Values in a block on the CPU: a block of large pictures would take gigabytes of activations."""

_SMALLEST = 1e-30
"""Probabilities are cut here before the logarithm."""

Loss = Callable[..., Tensor]
"""``loss(scores, *rows) -> (n,)``: per-sample loss that an attack wants to increase."""


@dataclass(frozen=True, slots=True)
class Gradient:
    """What one backward pass tells: loss (n,), scores (n, classes), gradient of the loss (n, *shape)."""

    loss: Tensor
    scores: Tensor
    grad: Tensor


class Passes:
    """Runs a model over any number of rows in blocks of equal make.

    Scores come out as logits: as they are, or as log-probabilities where the model gives probabilities.

    Args:
        model: The model.
        rows: Most rows in one block; rounded up to a multiple of ``LANE``, fewer on the CPU where the inputs are large.
        half: Compute in bfloat16 where autocast knows how: for a search whose finds are verified elsewhere.
    """

    def __init__(self, model: Model, rows: int = MOST_ROWS, *, half: bool = False) -> None:
        self.model = model
        self.half = half
        self.differentiable = model if isinstance(model, Differentiable) else None
        fit = _MOST_VALUES // math.prod(model.info.shape) if self.device == "cpu" else rows
        self.rows = -(-max(min(rows, fit), 1) // LANE) * LANE

    @property
    def device(self) -> str:
        """Where input tensors must live."""
        return self.differentiable.device if self.differentiable else "cpu"

    @property
    def exact(self) -> Passes:
        """The same in float32."""
        return Passes(self.model, self.rows) if self.half else self

    def rough(self) -> Passes:
        """The same in bfloat16 where the model says that this pays, else itself."""
        pays = isinstance(self.model, GainsFromHalf) and self.model.gains_from_half
        return Passes(self.model, self.rows, half=True) if pays else self

    def scores(self, x: Tensor) -> Tensor:
        """Logits of a batch, without gradients.

        Args:
            x: (n, *shape) float32 in input units.

        Returns:
            (n, classes) float32, finite.

        Raises:
            ModelError: The model raised, or its scores hold NaN, infinity or the wrong shape.
        """
        with torch.no_grad():
            return torch.cat([self._logits(block)[:n] for n, block in self._blocks(x)])

    def gradient(self, x: Tensor, loss: Loss, *rows: Tensor) -> Gradient:
        """Gradient of a per-sample loss with respect to the input.

        Args:
            x: (n, *shape) float32 in input units.
            loss: Called as ``loss(scores, *rows)`` on each block.
            rows: Tensors with n rows that the loss needs, e.g. the labels.

        Raises:
            ModelError: As for ``scores``, or the model cannot be differentiated, or a gradient is not finite.
        """
        parts = []
        padded = [self._blocks(row) for row in rows]
        for (n, block), *extra in zip(self._blocks(x), *padded, strict=True):
            with torch.enable_grad():
                leaf = block.detach().requires_grad_(True)
                scores = self._logits(leaf)
                losses = loss(scores, *(part for _, part in extra))
                grad = self._backward(losses, leaf)
            parts.append((losses.detach()[:n], scores.detach()[:n], grad[:n]))
        if len(parts) == 1:
            return Gradient(*parts[0])
        return Gradient(*(torch.cat(column) for column in zip(*parts, strict=True)))

    def _blocks(self, x: Tensor) -> list[tuple[int, Tensor]]:
        """Blocks of at most ``rows`` rows, each padded to a multiple of ``LANE``; with their true sizes."""
        blocks = []
        for start in range(0, len(x), self.rows):
            block = x[start : start + self.rows]
            n, missing = len(block), -len(block) % LANE
            if missing:
                block = torch.cat([block, block[-1:].expand(missing, *block.shape[1:])])
            blocks.append((n, block))
        return blocks

    def _logits(self, x: Tensor) -> Tensor:
        info = self.model.info
        try:
            if self.differentiable is not None:
                with torch.autocast(torch.device(self.device).type, torch.bfloat16, enabled=self.half):
                    scores = self.differentiable.forward(x).float()
            else:
                array = np.ascontiguousarray(x.detach().numpy())
                scores = torch.from_numpy(np.ascontiguousarray(self.model.scores(array), np.float32))
        except GambesonError:
            raise
        except Exception as error:
            raise ModelError(
                f"{info.name} raised {type(error).__name__} on a batch of shape {tuple(x.shape)}: {error}",
                remedy="run the model by itself on one batch of this shape",
            ) from error
        if scores.shape != (len(x), info.classes):
            raise ModelError(
                f"{info.name} answered with shape {tuple(scores.shape)}.",
                expected=f"({len(x)}, {info.classes}), one score per class",
            )
        if info.scores == "probabilities":
            scores = torch.where(scores >= 0, scores.clamp_min(_SMALLEST).log(), torch.nan)
        if not bool(torch.isfinite(scores).all()):
            raise _not_finite(info.name, "scores", scores)
        return scores.float()

    def _backward(self, losses: Tensor, leaf: Tensor) -> Tensor:
        name = self.model.info.name
        if not losses.requires_grad:
            raise ModelError(
                f"The scores of {name} do not depend on its input in a way that autograd can follow.",
                remedy="attack it with --access scores",
            )
        grad = torch.autograd.grad(losses.sum(), leaf)[0]
        # A finite sum has finite terms, at a fraction of the cost of looking at each.
        if not (bool(torch.isfinite(grad.sum())) or bool(torch.isfinite(grad).all())):
            raise _not_finite(name, "input gradients", grad)
        return grad


def _not_finite(name: str, what: str, values: Tensor) -> ModelError:
    bad = ~torch.isfinite(values.reshape(len(values), -1)).all(1)
    return ModelError(
        f"{name} gave {what} that are NaN, infinite or negative probabilities "
        f"in {int(bad.sum())} of {len(values)} rows.",
        expected=f"finite {what} for every input inside the bounds",
        remedy="a robust figure measured on such answers would be wrong: mend the model, then audit again",
    )
