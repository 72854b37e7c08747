"""Knockoff nets with an adaptive choice: a bandit learns about inputs of which kind it pays to ask."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from gambeson.attacks.extraction.base import ExtractionFacts, Theft, extraction
from gambeson.attacks.extraction.purse import Purse
from gambeson.attacks.extraction.student import learn
from gambeson.core.threat import Access
from gambeson.models.model import Model


@extraction.register(
    "knockoff_adaptive",
    ExtractionFacts(Access.LABELS, "Orekondy et al. 2019, arXiv:1812.02766, section 4.2.2"),
)
@dataclass(frozen=True, slots=True)
class KnockoffAdaptive:
    """Gradient bandit over the classes that the attacker's own inputs have; the reward is the paper's, in rounds.

    The paper updates after each query; here after each round, because a copy is trained anew for the reward.

    Attributes:
        rounds: Times that the bandit learns.
        pace: Its step.
    """

    rounds: int = 5
    pace: float = 0.5

    def extract(self, purse: Purse, theft: Theft) -> Model:
        """A copy from as many answers as the purse and the inputs allow.

        Raises:
            InsufficientEvidence, ModelError: As the protocol says.
        """
        rng = theft.seed.child("bandit").generator()
        kinds, kind = np.unique(theft.y.numpy(), return_inverse=True)
        free = [[int(row) for row in np.flatnonzero(kind == k)] for k in range(len(kinds))]
        budget = min(purse.left, len(theft.x))
        preference, baseline = np.zeros(len(kinds)), 0.0
        asked: list[int] = []
        answers = torch.zeros(0, theft.classes)
        copy: Model | None = None
        while len(asked) < budget:
            likely = np.exp(preference - preference.max())
            count = min(-(-budget // self.rounds), budget - len(asked))
            picked = _draw(free, likely / likely.sum(), count, rng)
            new = purse.ask(theft.x[picked])
            reward = _reward(new, answers, copy, theft.x[picked])
            baseline = reward.mean() if copy is None else 0.5 * (baseline + reward.mean())
            chances = likely / likely.sum()
            for k in range(len(kinds)):
                mine = kind[picked] == k
                if mine.any():
                    gain = self.pace * (reward[mine].mean() - baseline)
                    preference += np.where(np.arange(len(kinds)) == k, gain * (1 - chances), -gain * chances)
            asked, answers = asked + picked, torch.cat([answers, new])
            if len(asked) < budget:
                copy = learn(theft, theft.x[asked], answers, updates=theft.updates // self.rounds)
        return learn(theft, theft.x[asked], answers)


def _draw(free: list[list[int]], chances: np.ndarray, count: int, rng: np.random.Generator) -> list[int]:
    """Rows by the chances of their kinds; each is taken out, and a kind that is used up drops out."""
    picked = []
    for _ in range(count):
        left = np.where([bool(rows) for rows in free], chances, 0.0)
        k = int(rng.choice(len(free), p=left / left.sum()))
        picked.append(free[k].pop(0))
    return picked


def _reward(new: Tensor, old: Tensor, copy: Model | None, x: Tensor) -> np.ndarray:
    """(n,) certainty of the model + novelty of its answer + loss of the copy on it, each brought to [0, 1]."""
    top = new.topk(2, dim=1).values
    certain = top[:, 0] - top[:, 1]
    average = old.mean(0) if len(old) else torch.full((new.shape[1],), 1 / new.shape[1])
    novel = (new - average).clamp_min(0).sum(1)
    if copy is None:
        return np.asarray((certain + novel).double().numpy())
    loss = -(new * torch.from_numpy(copy.scores(x.numpy())).log_softmax(1)).sum(1)
    return np.asarray((certain + novel + (loss / loss.max().clamp_min(1e-9))).double().numpy())
