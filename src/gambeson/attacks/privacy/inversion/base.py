"""What a model-inversion attack is: one function from the attacker's view of a model to one input for each wish."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from gambeson.attacks.privacy.inversion.space import Space
from gambeson.attacks.randomness import SampleRandom
from gambeson.core.registry import Registry
from gambeson.core.threat import Access
from gambeson.models.oracle import Oracle


@dataclass(frozen=True, slots=True)
class InversionFacts:
    """What an inversion attack declares.

    Attributes:
        access: Access to the target that it needs.
        least_public: Public inputs without which it does not run.
        source: Paper and section, and what is different here.
    """

    access: Access
    least_public: int
    source: str


@dataclass(frozen=True, slots=True)
class InversionTask:
    """What the attacker wants and what he has beside the model.

    Attributes:
        classes: (m,) int64, the class that each of m reconstructions shall show.
        public: (n, *shape) float32 inputs that he holds, none of a wanted class, without labels; n may be 0.
        space: Where valid inputs lie.
        random: One generator for each reconstruction.
        steps: Iterations of an iterative attack.
        seed: For what is trained once for all reconstructions.
    """

    classes: Tensor
    public: Tensor
    space: Space
    random: SampleRandom
    steps: int
    seed: int

    @property
    def typical(self) -> Tensor:
        """(*shape) in [0, 1]: the mean of the public inputs, or the middle where there are none."""
        if not len(self.public):
            return torch.full(self.space.shape, 0.5)
        return self.space.to_unit(self.public).mean(0)


class Inversion(Protocol):
    """A frozen dataclass of parameters with one function."""

    def reconstruct(self, oracle: Oracle, task: InversionTask) -> Tensor:
        """(m, *shape) inputs on the CPU, one for each wish; the oracle counts m samples."""


inversions: Registry[Callable[..., Inversion], InversionFacts] = Registry(
    "inversion attack",
    (
        "gambeson.attacks.privacy.inversion.boundary",
        "gambeson.attacks.privacy.inversion.inverse_network",
        "gambeson.attacks.privacy.inversion.prototype",
        "gambeson.attacks.privacy.inversion.search",
    ),
)


def log_odds(scores: Tensor, classes: Tensor) -> Tensor:
    """(m,) log of how much likelier the wanted class is than all others together.

    Unlike the log-probability it does not stop growing where the model is sure: a faint picture is not enough.
    """
    log_p = scores.log_softmax(1)
    wanted = log_p.gather(1, classes[:, None]).squeeze(1)
    return wanted - log_p.scatter(1, classes[:, None], -torch.inf).logsumexp(1)
