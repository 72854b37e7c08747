"""What a PyTorch network's raw answer means: two columns for two classes, logits for any kind of score."""

from __future__ import annotations

import torch
from torch import Tensor

from gambeson.models.probing import LOGITS, Answer

_TINY = 1e-7


def widen(raw: Tensor, answer: Answer) -> Tensor:
    """Two columns where the network gives one; ``probing.finish`` says why these."""
    if not answer.single:
        return raw
    z = raw.reshape(len(raw), 1)
    return torch.cat([-z / 2, z / 2] if answer.scores == LOGITS else [1 - z, z], 1)


def logits(raw: Tensor, answer: Answer) -> Tensor:
    """(n, classes) whose softmax are the probabilities of the classes."""
    scores = widen(raw, answer)
    return scores if answer.scores == LOGITS else scores.clamp_min(_TINY).log()
