"""The inverse network: trained to turn scores back into inputs, then given the ideal scores of a class."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor, nn

from gambeson.attacks.privacy.inversion.base import InversionFacts, InversionTask, inversions, log_odds
from gambeson.attacks.privacy.inversion.priors import principal
from gambeson.core.threat import Access
from gambeson.models.oracle import Oracle

_BATCH = 64


@inversions.register(
    "inverse_network",
    InversionFacts(
        Access.SCORES,
        20,
        "Yang et al. 2019, doi:10.1145/3319535.3354261, sections 4 and 5. Deviations: a perceptron; beside the public "
        "inputs it learns from random ones in their principal components, which the model gives every class",
    ),
)
@dataclass(frozen=True, slots=True)
class InverseNetwork:
    """Scores in, input out.

    Attributes:
        drawn: Random inputs for each public one.
        spread: Of the random inputs, in standard deviations of the public ones.
        floor: Log-probabilities are cut here, so that what tells nothing about the class is left out (truncation).
        width: Of the hidden layers.
        components: Most principal components.
        most: Largest number of inputs to ask about.
        averaged: Score vectors behind one reconstruction.
    """

    drawn: float = 4.0
    spread: float = 2.0
    floor: float = -15.0
    width: int = 256
    components: int = 80
    most: int = 6_000
    averaged: int = 2

    def reconstruct(self, oracle: Oracle, task: InversionTask) -> Tensor:
        """Train once, then invert one ideal score vector for each wish."""
        generator = torch.Generator().manual_seed(task.seed)
        u, log_p = self._asked(oracle, task, generator)
        network = self._fit(log_p, u, task.steps, generator)
        with torch.no_grad():
            found = network(self._seen(self._ideals(log_p, task)))
        return task.space.valid(_as_far(found, task).reshape(-1, *task.space.shape))

    def _ideals(self, log_p: Tensor, task: InversionTask) -> Tensor:
        """(m, classes) score vector for each wish: the mean of some that come nearest to what is wanted.

        A made-up vector (all weight on one class) is one that the network never saw, and it answers with noise.
        """
        found = torch.empty(len(task.classes), log_p.shape[1])
        for wanted in torch.tensor(sorted(set(task.classes.tolist()))):
            wishes = (task.classes == wanted).nonzero().squeeze(1)
            odds = log_odds(log_p, wanted.expand(len(log_p)))
            best = log_p[odds.topk(min(self.averaged * len(wishes), len(odds))).indices]
            for place, wish in enumerate(wishes):
                found[wish] = best[place :: len(wishes)].mean(0)
        return found

    def _asked(
        self, oracle: Oracle, task: InversionTask, generator: torch.Generator
    ) -> tuple[Tensor, Tensor]:
        """Inputs (n, d) in [0, 1] and the model's log-probabilities (n, classes)."""
        prior = principal(task.public, task.space, self.components)
        public, affordable = task.public[: self.most // 2], int(oracle.left.clamp_max(self.most).sum())
        extra = max(
            0, min(math.ceil(self.drawn * len(public)), self.most - len(public), affordable - len(public))
        )
        size = 0.5 + (self.spread - 0.5) * torch.rand(extra, 1, generator=generator)
        drawn = prior.decode(size * torch.randn(extra, len(prior.basis), generator=generator))
        u = torch.cat([task.space.to_unit(public), drawn])[:affordable]
        of = torch.arange(len(u)) % len(task.classes)
        log_p = oracle.scores(task.space.to_input(u), of=of).log_softmax(1)
        return u.flatten(1), log_p

    def _fit(self, log_p: Tensor, u: Tensor, steps: int, generator: torch.Generator) -> nn.Module:
        network = _perceptron((log_p.shape[1], self.width, self.width, u.shape[1]), generator)
        optimizer = torch.optim.Adam(network.parameters(), lr=2e-3, fused=True)
        balance = _evenly(log_p.argmax(1))
        with torch.enable_grad():
            for _ in range(10 * steps):
                rows = torch.multinomial(balance, _BATCH, replacement=True, generator=generator)
                optimizer.zero_grad(set_to_none=True)
                loss = (network(self._seen(log_p[rows])) - u[rows]).square().mean()
                loss.backward()
                optimizer.step()
        return network.eval()

    def _seen(self, log_p: Tensor) -> Tensor:
        return log_p.clamp_min(self.floor) / -self.floor


def _as_far(found: Tensor, task: InversionTask) -> Tensor:
    """As far from the mean as the public inputs are: the mean square error draws every guess towards it."""
    u = task.space.to_unit(task.public).flatten(1)
    mean = u.mean(0)
    length = (found - mean).norm(dim=1, keepdim=True).clamp_min(1e-6)
    stretch: Tensor = ((u - mean).norm(dim=1).mean() / length).clamp_min(1)
    return mean + (found - mean) * stretch


def _evenly(labels: Tensor) -> Tensor:
    """(n,) weights that draw every predicted class equally often."""
    weights: Tensor = 1 / torch.bincount(labels)[labels].double()
    return weights


def _perceptron(sizes: tuple[int, ...], generator: torch.Generator) -> nn.Module:
    layers: list[nn.Module] = []
    for inputs, outputs in pairwise(sizes):
        layer = nn.Linear(inputs, outputs, device="meta").to_empty(device="cpu")  # initialised below
        nn.init.kaiming_normal_(layer.weight, nonlinearity="relu", generator=generator)
        nn.init.zeros_(layer.bias)
        layers += [layer, nn.ReLU()]
    return nn.Sequential(*layers[:-1], nn.Sigmoid())
