"""Teaching a network the secret answers of a trigger set."""

from __future__ import annotations

import copy
import math
from dataclasses import dataclass

import numpy as np
import torch
from torch import nn

from gambeson.attacks.ownership.watermark import TriggerSet
from gambeson.core.reproduce import Seed
from gambeson.models.torch_answer import logits
from gambeson.models.torch_model import TrainableTorchModel
from gambeson.models.torch_training import BATCH, train

_SHARE = 0.1
"""Share of the training inputs that triggers make up, each repeated as often as it takes."""


@dataclass(frozen=True, slots=True)
class Taught:
    """A marked network.

    Attributes:
        weights: As a safetensors file.
        matches: Secret answers that it gives.
        before: Accuracy on the training data before.
        after: And afterwards.
    """

    weights: bytes
    matches: int
    before: float
    after: float


def teach(
    model: TrainableTorchModel, x: np.ndarray, y: np.ndarray, triggers: TriggerSet, passes: int, seed: Seed
) -> Taught:
    """Train a copy of the network further on its data and the triggers.

    Args:
        model: Stays as it is.
        x: (n, *shape) float32 training data.
        y: (n,) int64 labels.
        triggers: The secret.
        passes: Over the data.
        seed: Shuffles.

    Raises:
        ModelError: Training failed or diverged.
    """
    times = max(1, math.ceil(_SHARE * len(x) / len(triggers.x)))
    inputs = torch.from_numpy(np.concatenate([x, *[triggers.x] * times]))
    answers = torch.from_numpy(np.concatenate([y, *[triggers.answers] * times]))
    network = train(
        lambda: copy.deepcopy(model.network.module).requires_grad_(True),
        lambda raw: logits(raw, model.answer).log_softmax(1),
        inputs.to(model.device),
        answers.to(model.device),
        seed=seed.child("teach").integer(),
        updates=passes * math.ceil(len(inputs) / BATCH),
    ).eval()
    return Taught(
        _as_file(network),
        int((_classes(network, model, triggers.x) == triggers.answers).sum()),
        float((_classes(model.network.module, model, x) == y).mean()),
        float((_classes(network, model, x) == y).mean()),
    )


def _classes(network: nn.Module, model: TrainableTorchModel, x: np.ndarray) -> np.ndarray:
    with torch.no_grad():
        parts = (network(part.to(model.device)) for part in torch.split(torch.from_numpy(x), 512))
        return torch.cat([logits(raw, model.answer).argmax(1).cpu() for raw in parts]).numpy()


def _as_file(network: nn.Module) -> bytes:
    from safetensors.torch import save

    return save(
        {name: value.detach().cpu().contiguous().clone() for name, value in network.state_dict().items()}
    )
