"""DVERGE: members of an ensemble learn not to share the weaknesses of one another."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from gambeson.core.errors import UsageError
from gambeson.defenses.training.adversary import Adversary
from gambeson.defenses.training.base import Batch, RecipeFacts, recipes
from gambeson.models.torch_trainee import Trainee

_LAYERS = (nn.Conv1d, nn.Conv2d, nn.Linear)


@recipes.register(
    "dverge",
    RecipeFacts(
        "an ensemble whose members classify right what another member mistakes for something else",
        source="Yang et al. 2020, arXiv:2009.14720, algorithm 1",
    ),
)
@dataclass(frozen=True, slots=True)
class DVERGE:
    """Trains each member on rows that were changed until another member sees other rows in them.

    At a random hidden layer of a member, each row is moved within the ball until its features are as near as possible
    to those of another row: what that member, and not a human, takes for it. All other members learn the true label
    of the result, and so not to rely on the same features.

    Attributes:
        steps: Gradient steps of the search for such inputs.
        reach: Length of all steps together, as a multiple of eps.
    """

    steps: int = 10
    reach: float = 1.5

    def attack(self, network: Trainee, batch: Batch) -> Tensor:
        """(k, n, *shape) rows as each of the k members mistakes them.

        Raises:
            UsageError: The network is no ensemble, or has no hidden layer.
        """
        if len(network.members) < 2:
            raise UsageError(
                "The recipe 'dverge' trains an ensemble.", expected="--members N, with N of at least 2"
            )
        others = batch.x[torch.randperm(len(batch.x)).to(batch.x.device)]
        return torch.stack([self._mistaken(member, batch, others) for member in network.members])

    def _mistaken(self, member: Trainee, batch: Batch, others: Tensor) -> Tensor:
        """Rows of the batch that this member cannot tell from ``others`` at a random hidden layer."""
        layers = [m for m in member.module.modules() if isinstance(m, _LAYERS)][:-1]
        if not layers:
            raise UsageError("The recipe 'dverge' needs a network with a hidden layer.")
        with _features(layers[int(torch.randint(len(layers), ()))]) as seen:
            with torch.no_grad():
                member(others)
            goal = seen.pop()

            def nearness(x: Tensor) -> Tensor:
                member(x)
                return -((seen.pop() - goal) ** 2).sum()

            return Adversary(self.steps, self.reach, start=0.0).climb(batch.ball, nearness)

    def loss(self, network: Trainee, batch: Batch, attacked: Tensor) -> Tensor:
        """Cross-entropy of each member on what the others mistake, summed over the members."""
        losses = []
        for i, member in enumerate(network.members):
            theirs = [rows for j, rows in enumerate(attacked) if j != i]
            losses.append(F.cross_entropy(member(torch.cat(theirs)), batch.y.repeat(len(theirs))))
        return torch.stack(losses).sum()


@contextmanager
def _features(layer: nn.Module) -> Iterator[list[Tensor]]:
    """What a layer puts out, pass by pass, as long as the context lasts."""
    seen: list[Tensor] = []
    handle = layer.register_forward_hook(lambda module, given, out: seen.append(out.float()))
    try:
        yield seen
    finally:
        handle.remove()
