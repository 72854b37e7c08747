"""An ensemble as one network: the probabilities of its members, averaged."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from gambeson.models.probing import Answer
from gambeson.models.torch_answer import logits


class Ensemble(nn.Module):
    """Answers with the logarithm of the members' mean probabilities, which are logits again.

    Args:
        networks: The members; all answer in the same way.
        answer: What their raw answers mean.
    """

    def __init__(self, networks: Sequence[nn.Module], answer: Answer) -> None:
        super().__init__()
        self.networks = nn.ModuleList(networks)
        self.answer = answer

    def forward(self, x: Tensor) -> Tensor:
        """(n, *shape) to logits (n, classes)."""
        each = [logits(network(x).float(), self.answer).log_softmax(1) for network in self.networks]
        return torch.stack(each).logsumexp(0) - math.log(len(each))
