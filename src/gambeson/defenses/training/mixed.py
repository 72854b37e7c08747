"""Training against several norms: each batch is attacked under one of them, drawn at random."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
import torch.nn.functional as F
from torch import Tensor

from gambeson.attacks.geometry import Ball
from gambeson.core.errors import UsageError
from gambeson.core.threat import Norm
from gambeson.defenses.training.adversary import Adversary
from gambeson.defenses.training.base import Batch, RecipeFacts, recipes
from gambeson.models.torch_trainee import Trainee


@recipes.register(
    "mixed",
    RecipeFacts(
        "PGD training under one of several norms in each batch, for attackers who may choose",
        source="Croce & Hein 2022, arXiv:2105.12508, section 4 (random sampling of the norm); Madaan et al. 2021",
    ),
)
@dataclass(frozen=True, slots=True)
class Mixed:
    """The declared attacker, and others whose radii are multiples of the declared one, so that all grow together.

    Attributes:
        linf, l2, l1: Radius under the norm over the declared eps; 0 where it is not trained against.
        steps: Gradient steps of the attacker.
        reach: Length of all steps together, as a multiple of the radius.

    Raises:
        UsageError: No other norm is named, or a radius is negative.
    """

    linf: float = 0.0
    l2: float = 8.0
    l1: float = 0.0
    steps: int = 7
    reach: float = 2.5

    def __post_init__(self) -> None:
        radii = (self.linf, self.l2, self.l1)
        if min(radii) < 0 or max(radii) == 0:
            raise UsageError(
                "The recipe 'mixed' needs a second norm.",
                expected="a radius as a multiple of --eps, e.g. -p l2=8 beside --norm linf",
            )

    def attack(self, network: Trainee, batch: Batch) -> Tensor:
        """PGD on the cross-entropy under a norm that torch's generator draws."""
        balls = self._balls(batch)
        chosen = int(torch.randint(len(balls), ()))
        begin = None if chosen else batch.begin
        return Adversary(self.steps, self.reach).climb(
            balls[chosen], lambda x: F.cross_entropy(network(x), batch.y, reduction="sum"), begin
        )

    def _balls(self, batch: Batch) -> list[Ball]:
        """The declared ball, and those of the other norms."""
        space = batch.ball.space
        radii = {Norm.LINF: self.linf, Norm.L2: self.l2, Norm.L1: self.l1}
        others = [
            replace(space, norm=norm, eps=share * space.eps)
            for norm, share in radii.items()
            if share and norm is not space.norm
        ]
        return [batch.ball, *(other.around(batch.x) for other in others)]

    def loss(self, network: Trainee, batch: Batch, attacked: Tensor) -> Tensor:
        """Mean cross-entropy on the attacked rows."""
        return F.cross_entropy(network(attacked), batch.y)
