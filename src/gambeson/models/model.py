"""The seam: all that an attack, a check or a guard can know of a model.

Arrays cross the seam as NumPy float32 so that nothing above needs a framework. A model that can
differentiate offers a second door that keeps tensors on their device.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, runtime_checkable

import numpy as np

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True, slots=True)
class ModelInfo:
    """What is known of a model without calling it.

    Attributes:
        name: What people call it: the path or URI it was opened from.
        kind: ``"torch"``, ``"onnx"``, ``"sklearn"``, ``"xgboost"``, ``"lightgbm"`` or ``"callable"``.
        shape: Shape of one input, without the batch axis.
        classes: Number of classes, at least 2.
        scores: ``"logits"`` (any real numbers whose softmax are probabilities) or ``"probabilities"``.
        digest: ``sha256:<hex>`` of the bytes it was loaded from; empty for a bare callable.
        parameters: Number of learnt parameters, 0 where unknown.
    """

    name: str
    kind: str
    shape: tuple[int, ...]
    classes: int
    scores: str
    digest: str = ""
    parameters: int = 0


@runtime_checkable
class Model(Protocol):
    """A classifier. Inputs are in input units: preprocessing is the model's own business."""

    @property
    def info(self) -> ModelInfo:
        """What is known without calling it."""

    def scores(self, x: np.ndarray) -> np.ndarray:
        """Scores of a batch.

        Args:
            x: (n, *shape) float32, C-contiguous, in input units.

        Returns:
            (n, classes) float32; the prediction is the largest.

        Raises:
            ModelError: The model raised.
        """


@runtime_checkable
class Differentiable(Model, Protocol):
    """A model whose scores autograd can follow back to the input."""

    @property
    def device(self) -> str:
        """Where tensors must live, e.g. ``"cpu"`` or ``"cuda:0"``."""

    def forward(self, x: Tensor) -> Tensor:
        """Like ``scores`` for a tensor (n, *shape) float32 on ``device``; keeps the autograd graph."""


@runtime_checkable
class GainsFromHalf(Differentiable, Protocol):
    """A differentiable model that knows whether bfloat16 makes it faster here."""

    @property
    def gains_from_half(self) -> bool:
        """Whether it is worth searching in bfloat16 and verifying in float32; the same on every run."""


@runtime_checkable
class Trainable(Model, Protocol):
    """A model that can be trained anew on other data, for reference (shadow) models."""

    def fit_new(self, x: np.ndarray, y: np.ndarray, seed: int) -> Model:
        """A fresh model of the same kind and hyper-parameters, fitted to other data.

        Args:
            x: (n, *shape) float32 in input units.
            y: (n,) int64 labels in ``range(classes)``.
            seed: Seeds initialisation and shuffling; the same seed gives the same model.

        Raises:
            ModelError: Training failed.
        """


@runtime_checkable
class HasRecipe(Protocol):
    """A trainable model that says what its ``fit_new`` does, whatever weights it holds now."""

    @property
    def recipe(self) -> str:
        """Digest of the kind of model, its hyper-parameters and the code that trains it; empty where not known."""


@runtime_checkable
class Constrainable(Trainable, Protocol):
    """Trees that can be fitted so that the score of class 1 never falls, or never rises, with a feature."""

    def constrained(self, signs: tuple[int, ...]) -> Trainable:
        """The same, but what ``fit_new`` fits keeps to this.

        Args:
            signs: For each feature 1 (never falls), -1 (never rises) or 0 (free). Categories are left free.
        """


@runtime_checkable
class Savable(Trainable, Protocol):
    """A model that can be fitted anew and written as a file that opens like the one it came from."""

    @property
    def suffix(self) -> str:
        """Of such a file, e.g. ``".skops"``."""

    def saved(self) -> bytes:
        """Content of such a file.

        Raises:
            Unavailable: A package that writes it is missing.
        """
