"""Extraction without data: inputs are made up, then dreamt by the copy itself."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from gambeson.attacks.extraction.base import ExtractionFacts, Theft, extraction
from gambeson.attacks.extraction.purse import Purse
from gambeson.attacks.extraction.student import learn, learn_network
from gambeson.core.threat import Access
from gambeson.models.model import Model

_PRIOR_STEPS = 30
_PRIOR_PACE = 0.1


@extraction.register(
    "data_free",
    ExtractionFacts(
        Access.LABELS,
        "Nayak et al. 2019 (zero-shot distillation from Dirichlet targets), arXiv:1905.08114; from a black box as in "
        "Truong et al. 2021 (data-free model extraction), arXiv:2011.14779, without their generator, which takes "
        "millions of queries",
        pool=False,
    ),
)
@dataclass(frozen=True, slots=True)
class DataFree:
    """Smooth random pictures, or uniform rows of a table, then inputs that the copy so far answers as a drawn target.

    Attributes:
        rounds: Times that inputs are dreamt.
        dreamt: Share of the queries spent on them.
        sharp: Concentration of the Dirichlet distribution of the targets; below 1 most are near one class.
    """

    rounds: int = 3
    dreamt: float = 0.6
    sharp: float = 0.3

    def extract(self, purse: Purse, theft: Theft) -> Model:
        """A copy from as many answers as the purse allows.

        Raises:
            InsufficientEvidence, ModelError: As the protocol says.
        """
        rng, budget = theft.seed.child("made up").generator(), purse.left
        x = _made_up(theft, max(budget - self.rounds * int(self.dreamt * budget / self.rounds), 1), rng)
        answers, updates = purse.ask(x), theft.updates // (self.rounds + 1)
        for _ in range(self.rounds):
            new = self._dream(
                theft, x, answers, min(int(self.dreamt * budget / self.rounds), purse.left), updates, rng
            )
            if not len(new):
                break
            answers, x = torch.cat([answers, purse.ask(new)]), torch.cat([x, new])
        return learn(theft, x, answers)

    def _dream(
        self, theft: Theft, x: Tensor, answers: Tensor, count: int, updates: int, rng: np.random.Generator
    ) -> Tensor:
        """Inputs, begun from made-up ones, that a network trained so far gives drawn probabilities."""
        copy = learn_network(theft, x, answers, updates=updates)
        targets = torch.from_numpy(
            rng.dirichlet(np.full(theft.classes, self.sharp), count).astype(np.float32)
        )
        low, high = (torch.from_numpy(bound) for bound in theft.schema.bounds())
        start = _made_up(theft, count, rng)
        frozen = torch.from_numpy(theft.schema.integer_mask())
        position = (
            ((start - low) / (high - low).clamp_min(1e-12)).clamp(0.01, 0.99).logit().requires_grad_(True)
        )
        optimizer = torch.optim.Adam([position], lr=_PRIOR_PACE)
        with torch.enable_grad():
            for _ in range(_PRIOR_STEPS):
                moved = torch.where(frozen, start, low + (high - low) * position.sigmoid())
                loss = -(targets * copy.module(moved).log_softmax(1)).sum()
                optimizer.zero_grad(set_to_none=True)
                torch.autograd.backward(loss)
                optimizer.step()
        return torch.where(frozen, start, low + (high - low) * position.detach().sigmoid()).clamp(low, high)


def _made_up(theft: Theft, count: int, rng: np.random.Generator) -> Tensor:
    """(count, *shape) inputs within the bounds, drawn without data."""
    schema = theft.schema
    low, high = (torch.from_numpy(bound) for bound in schema.bounds())
    if schema.is_image and not schema.features:
        return low + (high - low) * _smooth(schema.shape, count, rng)
    u = torch.from_numpy(rng.random((count, *schema.shape)).astype(np.float32))
    whole = torch.from_numpy(schema.integer_mask())
    return torch.where(whole, (low + ((high - low + 1) * u).floor()).minimum(high), low + (high - low) * u)


def _smooth(shape: tuple[int, ...], count: int, rng: np.random.Generator) -> Tensor:
    """Random pictures in [0, 1] of blobs of several sizes: bright on dark, dark on bright, or grey."""
    channels, height, width = shape
    field = torch.zeros(count, *shape)
    for cells in (3, 6, 12):
        coarse = torch.from_numpy(rng.normal(size=(count, channels, cells, cells)).astype(np.float32))
        strength = torch.from_numpy(rng.random((count, 1, 1, 1)).astype(np.float32))
        field += strength * F.interpolate(coarse, size=(height, width), mode="bicubic", align_corners=False)
    contrast = torch.from_numpy(rng.uniform(1, 6, (count, 1, 1, 1)).astype(np.float32))
    offset = torch.from_numpy(rng.uniform(-3, 3, (count, 1, 1, 1)).astype(np.float32))
    return (contrast * field + offset).sigmoid()
