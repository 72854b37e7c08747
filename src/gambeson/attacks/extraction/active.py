"""Active learning: ask about those inputs next about which the copy is in doubt."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from gambeson.attacks.extraction.base import ExtractionFacts, Theft, extraction
from gambeson.attacks.extraction.purse import Purse
from gambeson.attacks.extraction.student import learn
from gambeson.core.errors import UsageError
from gambeson.core.threat import Access
from gambeson.models.model import Model


@extraction.register(
    "active",
    ExtractionFacts(
        Access.LABELS,
        "Pal et al. 2020 (ActiveThief), AAAI; k-center: Sener & Savarese 2018, arXiv:1708.00489",
    ),
)
@dataclass(frozen=True, slots=True)
class Active:
    """A random first share, then rounds of those inputs that a rule picks by what the copy so far says of them.

    Attributes:
        rule: ``"entropy"``, ``"margin"`` or ``"k_center"``.
        rounds: Times that inputs are picked.
        looked_at: Inputs that a round chooses from.
    """

    rule: str = "margin"
    rounds: int = 4
    looked_at: int = 5_000

    def extract(self, purse: Purse, theft: Theft) -> Model:
        """A copy from as many answers as the purse and the inputs allow.

        Raises:
            InsufficientEvidence, ModelError: As the protocol says.
            UsageError: The rule is unknown.
        """
        if self.rule not in _RULES:
            raise UsageError(f"Unknown rule {self.rule!r}.", expected=", ".join(_RULES))
        budget = min(purse.left, len(theft.x))
        share, updates = -(-budget // (self.rounds + 1)), theft.updates // (self.rounds + 1)
        asked = torch.arange(share)
        answers = purse.ask(theft.x[asked])
        while len(asked) < budget:
            copy = learn(theft, theft.x[asked], answers, updates=updates)
            free = torch.from_numpy(np.setdiff1d(np.arange(len(theft.x)), asked.numpy()))[: self.looked_at]
            count = min(share, budget - len(asked))
            picked = free[_RULES[self.rule](_says(copy, theft.x[free]), _says(copy, theft.x[asked]), count)]
            answers = torch.cat([answers, purse.ask(theft.x[picked])])
            asked = torch.cat([asked, picked])
        return learn(theft, theft.x[asked], answers)


def _says(copy: Model, x: Tensor) -> Tensor:
    """(n, classes) probabilities."""
    return torch.cat([torch.from_numpy(copy.scores(part.numpy())).softmax(1) for part in torch.split(x, 512)])


def _entropy(free: Tensor, asked: Tensor, count: int) -> Tensor:
    """The most undecided."""
    doubt: Tensor = torch.special.entr(free).sum(1)
    return doubt.argsort(descending=True, stable=True)[:count]


def _margin(free: Tensor, asked: Tensor, count: int) -> Tensor:
    """Those with the smallest lead of the best class."""
    top = free.topk(2, dim=1).values
    lead: Tensor = top[:, 0] - top[:, 1]
    return lead.argsort(stable=True)[:count]


def _k_center(free: Tensor, asked: Tensor, count: int) -> Tensor:
    """One after the other the farthest from all that were asked about, in what the copy says of them."""
    away = torch.cdist(free, asked).min(1).values
    picked = []
    for _ in range(count):
        best = int(away.argmax())
        picked.append(best)
        away = torch.minimum(away, (free - free[best]).norm(dim=1))
        away[best] = -1
    return torch.tensor(picked)


_RULES: dict[str, Callable[[Tensor, Tensor, int], Tensor]] = {
    "entropy": _entropy,
    "margin": _margin,
    "k_center": _k_center,
}
