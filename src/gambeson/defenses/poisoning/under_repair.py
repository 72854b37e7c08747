"""A network under repair behind the seam of models, so that triggers can be searched for on it."""

from __future__ import annotations

import numpy as np
import torch

from gambeson.data.schema import Schema
from gambeson.models.model import ModelInfo
from gambeson.models.torch_trainee import Trainee


class Under:
    """A network in training behind the seam of models, for searches of triggers."""

    def __init__(self, network: Trainee, schema: Schema) -> None:
        self._network = network
        self.info = ModelInfo("under repair", "torch", schema.shape, len(schema.classes), "logits")

    @property
    def device(self) -> str:
        """Where it lives."""
        return self._network.device

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Logits (n, classes); keeps the autograd graph."""
        return self._network(x)

    def scores(self, x: np.ndarray) -> np.ndarray:
        """Logits (n, classes)."""
        with torch.no_grad():
            return self.forward(torch.from_numpy(np.ascontiguousarray(x))).numpy()
