"""Jacobian-based augmentation makes neighbours of the inputs it was given, and asks about each."""

from __future__ import annotations

import numpy as np
import torch

from gambeson.attacks.extraction.jacobian import Jacobian
from gambeson.core.threat import Access
from tests.extraction_worlds import Victim, fidelity, theft


def test_inputs_double_until_the_purse_is_empty():
    victim = Victim()
    given = theft(10, updates=20)
    purse = victim.purse(Access.LABELS, 80)
    Jacobian(doublings=3, step=0.1).extract(purse, given)
    asked = np.unique(np.array(victim.asked), axis=0)
    assert 10 < len(asked) <= 80
    # every input lies within the sum of the steps of one that was given
    nearest = torch.cdist(torch.from_numpy(asked), given.x, p=float("inf")).min(1).values
    assert nearest.max() <= 0.3 + 1e-6
    assert (nearest > 0).sum() > 0


def test_few_inputs_go_further_with_neighbours():
    copies = [
        Jacobian(doublings=d, step=0.2).extract(
            Victim().purse(Access.SCORES, 15 * 2**d), theft(15, updates=200)
        )
        for d in (0, 4)
    ]
    assert fidelity(copies[1]) > fidelity(copies[0])
