"""Knockoff nets: ask about random inputs of one's own and train on the answers."""

from __future__ import annotations

from dataclasses import dataclass

from gambeson.attacks.extraction.base import ExtractionFacts, Theft, extraction
from gambeson.attacks.extraction.purse import Purse
from gambeson.attacks.extraction.student import learn
from gambeson.core.threat import Access
from gambeson.models.model import Model


@extraction.register(
    "knockoff",
    ExtractionFacts(
        Access.LABELS,
        "Orekondy et al. 2019, arXiv:1812.02766, section 4.2.1; from labels: Correia-Silva et al. 2018 (Copycat CNN), "
        "arXiv:1806.05476",
    ),
)
@dataclass(frozen=True, slots=True)
class Knockoff:
    """Inputs in the order in which the attacker holds them, which is random; pictures are moved while training."""

    def extract(self, purse: Purse, theft: Theft) -> Model:
        """A copy from as many answers as the purse and the inputs allow.

        Raises:
            InsufficientEvidence, ModelError: As the protocol says.
        """
        x = theft.x[: purse.left]
        return learn(theft, x, purse.ask(x))
