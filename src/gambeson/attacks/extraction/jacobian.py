"""Jacobian-based augmentation: from few inputs new ones are made, each in the direction that changes the copy most."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from gambeson.attacks.extraction.base import ExtractionFacts, Theft, extraction
from gambeson.attacks.extraction.purse import Purse
from gambeson.attacks.extraction.student import learn_network
from gambeson.core.errors import InsufficientEvidence
from gambeson.core.threat import Access
from gambeson.models.model import Model


@extraction.register(
    "jacobian",
    ExtractionFacts(Access.LABELS, "Papernot et al. 2017, arXiv:1602.02697, section 4 and algorithm 1"),
)
@dataclass(frozen=True, slots=True)
class Jacobian:
    """The inputs double in each round: every one gets a neighbour along the sign of its class's gradient.

    Attributes:
        doublings: Rounds; the purse pays for ``2 ** doublings`` inputs for each that the attacker held.
        step: Length of the step as a share of each feature's range. It changes its sign every other round, as in the
            paper's section 5.
    """

    doublings: int = 3
    step: float = 0.1

    def extract(self, purse: Purse, theft: Theft) -> Model:
        """A network from as many answers as the purse allows.

        Raises:
            InsufficientEvidence, ModelError: As the protocol says.
        """
        x = theft.x[: max(purse.left // 2**self.doublings, 1)]
        if not len(x):
            raise InsufficientEvidence(
                "The attacker holds no inputs.", remedy="give data, or attack without: data_free"
            )
        low, high = (torch.from_numpy(bound) for bound in theft.schema.bounds())
        answers, updates = purse.ask(x), theft.updates // (self.doublings + 1)
        for number in range(self.doublings):
            copy = learn_network(theft, x, answers, updates=updates)
            leaf = x.clone().requires_grad_(True)
            with torch.enable_grad():
                mine = copy.module(leaf).gather(1, answers.argmax(1)[:, None]).sum()
                (gradient,) = torch.autograd.grad(mine, leaf)
            length = self.step if number % 2 == 0 else -self.step
            new = (x + length * (high - low) * gradient.sign()).clamp(low, high)[: purse.left]
            answers, x = torch.cat([answers, purse.ask(new)]), torch.cat([x, new])
        return learn_network(theft, x, answers)
