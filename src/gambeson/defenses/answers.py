"""What a model says of its scores: rounded, bent or the class alone, so that less can be learnt from answers.

None of them hides the class, from which copies and membership can be learnt, too, for more queries (Choquette-Choo et
al. 2021, arXiv:2007.14321; Orekondy et al. 2019, arXiv:1812.02766). The audit therefore asks both ways.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

from gambeson.core.errors import UsageError
from gambeson.core.registry import Registry
from gambeson.defenses.training.base import RecipeFacts
from gambeson.models.probing import LOGITS, PROBABILITIES, Answer
from gambeson.models.torch_answer import logits

answers: Registry[Callable[..., nn.Module], RecipeFacts] = Registry("answer")

_LEAST = 1e-6
"""Smallest probability that is said, so that its logarithm is a number."""


@answers.register(
    "round_scores",
    RecipeFacts(
        "probabilities rounded to a few digits before anybody sees them",
        source="Tramèr et al. 2016, arXiv:1609.02943, section 7; Fredrikson et al. 2015, section 6",
    ),
)
class RoundScores(nn.Module):
    """Rounds probabilities; where that makes a tie, the class that led keeps the lead.

    Args:
        digits: After the decimal point, from 0 to 6.
    """

    def __init__(self, digits: int = 1) -> None:
        super().__init__()
        if not 0 <= digits <= 6:
            raise UsageError(f"round_scores was asked for {digits} digits.", expected="0 to 6")
        self.digits = digits

    def forward(self, p: Tensor) -> Tensor:
        """(n, classes) probabilities to what is said of them, not always a sum of 1."""
        said = torch.round(p, decimals=self.digits)
        first = p.argmax(1, keepdim=True)
        lead = said.amax(1, keepdim=True) + 0.01 * 10.0**-self.digits
        return said.scatter(1, first, lead)


@answers.register(
    "label_only",
    RecipeFacts(
        "the class alone, with the same confidence each time",
        source="Choquette-Choo et al. 2021, arXiv:2007.14321 (what it is worth)",
    ),
)
class LabelOnly(nn.Module):
    """The class that leads gets one probability, all others share the rest.

    Args:
        confidence: Above one half and below 1.
    """

    def __init__(self, confidence: float = 0.9) -> None:
        super().__init__()
        if not 0.5 < confidence < 1:
            raise UsageError(
                f"label_only was asked for a confidence of {confidence}.", expected="above 0.5 and below 1"
            )
        self.confidence = confidence

    def forward(self, p: Tensor) -> Tensor:
        """(n, classes) probabilities to a constant for the first of them and another for the rest."""
        rest = torch.full_like(p, (1 - self.confidence) / (p.shape[1] - 1))
        return rest.scatter(1, p.argmax(1, keepdim=True), self.confidence)


@answers.register(
    "reverse_sigmoid",
    RecipeFacts(
        "probabilities bent so that unlikely classes look likely: a student learns wrong things (prediction poisoning)",
        source="Lee et al. 2019, arXiv:1806.00054, eq. 4",
    ),
)
class ReverseSigmoid(nn.Module):
    """Subtracts ``beta * (sigmoid(gamma * logit(p)) - 1/2)`` from each probability, and divides by the sum.

    Deviation: where that would change the class, the class that led is put in front by a little.

    Args:
        beta: Strength, above 0 and at most 1.
        gamma: How steep, above 0.
    """

    def __init__(self, beta: float = 0.7, gamma: float = 0.2) -> None:
        super().__init__()
        if not (0 < beta <= 1 and gamma > 0):
            raise UsageError(
                f"reverse_sigmoid was asked for beta {beta} and gamma {gamma}.",
                expected="beta above 0 and at most 1, gamma above 0",
            )
        self.beta, self.gamma = beta, gamma

    def forward(self, p: Tensor) -> Tensor:
        """(n, classes) probabilities to others that lead to the same class."""
        p = p.clamp(_LEAST, 1 - _LEAST)
        bent = (p - self.beta * (torch.sigmoid(self.gamma * p.logit()) - 0.5)).clamp_min(_LEAST)
        first = p.argmax(1, keepdim=True)
        ahead = torch.maximum(bent.gather(1, first), bent.amax(1, keepdim=True) + 1e-4)
        lost = bent.argmax(1, keepdim=True) != first
        bent = bent.scatter(1, first, torch.where(lost, ahead, bent.gather(1, first)))
        return bent / bent.sum(1, keepdim=True)


class Answering(nn.Module):
    """A network whose answers are changed before anybody sees them; in training it answers as it is.

    Args:
        network: The network.
        answer: What its raw answers mean.
        change: From probabilities to what is said of them.
    """

    def __init__(self, network: nn.Module, answer: Answer, change: nn.Module) -> None:
        super().__init__()
        self.network, self.answer, self.change = network, answer, change

    def forward(self, x: Tensor) -> Tensor:
        """(n, *shape) to logarithms of probabilities (n, classes)."""
        scores = logits(self.network(x), self.answer)
        if self.training:
            return scores.log_softmax(1)
        said: Tensor = self.change(scores.softmax(1))
        return said.clamp_min(_LEAST).log()


def answering(
    network: nn.Module, kind: str, single: bool, name: str, parameters: dict[str, object]
) -> Answering:
    """A network with a registered change of its answers, as the factory beside its weights builds it.

    Args:
        network: The network.
        kind: ``"logits"`` or ``"probabilities"``.
        single: Whether it gives one column for two classes.
        name: Of the change.
        parameters: Of the change.

    Raises:
        UsageError: A parameter is out of range.
    """
    assert kind in (LOGITS, PROBABILITIES)
    return Answering(network, Answer(kind, single), answers.make(name, parameters))
