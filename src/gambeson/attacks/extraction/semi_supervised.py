"""Semi-supervised extraction: inputs that were not paid for teach too."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from gambeson.attacks.extraction.base import ExtractionFacts, Theft, extraction
from gambeson.attacks.extraction.purse import Purse
from gambeson.attacks.extraction.student import learn
from gambeson.core.threat import Access
from gambeson.models.model import Model


@extraction.register(
    "semi_supervised",
    ExtractionFacts(
        Access.LABELS,
        "Jagielski et al. 2020, arXiv:1909.01838, section 4.2, with the soft pseudo-labels of Xie et al. 2020 (noisy "
        "student), arXiv:1911.04252, instead of MixMatch",
    ),
)
@dataclass(frozen=True, slots=True)
class SemiSupervised:
    """A first copy answers the inputs that are left; a second one learns from bought and guessed answers alike.

    Attributes:
        guesses: Most guessed answers for each bought one.
        first: Share of the updates that the first copy gets.
    """

    guesses: int = 8
    first: float = 0.5

    def extract(self, purse: Purse, theft: Theft) -> Model:
        """A copy from as many answers as the purse and the inputs allow.

        Raises:
            InsufficientEvidence, ModelError: As the protocol says.
        """
        x = theft.x[: purse.left]
        answers = purse.ask(x)
        rest = theft.x[len(x) :][: self.guesses * len(x)]
        if not len(rest):
            return learn(theft, x, answers)
        teacher = learn(theft, x, answers, updates=int(self.first * theft.updates))
        guessed = torch.cat(
            [torch.from_numpy(teacher.scores(b.numpy())).softmax(1) for b in torch.split(rest, 512)]
        )
        often = max(1, len(rest) // len(x))  # half of what the second copy sees was bought
        shown = torch.cat([x.repeat(often, *[1] * (x.dim() - 1)), rest])
        return learn(theft, shown, torch.cat([answers.repeat(often, 1), guessed]))
