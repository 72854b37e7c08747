"""Active learning picks what its rule says."""

from __future__ import annotations

import pytest
import torch

from gambeson.attacks.extraction.active import _RULES, Active
from gambeson.core.errors import UsageError
from gambeson.core.threat import Access
from tests.extraction_worlds import Victim, theft

FREE = torch.tensor([[0.9, 0.1, 0.0], [0.5, 0.5, 0.0], [0.34, 0.33, 0.33], [0.7, 0.3, 0.0]])


def test_entropy_and_margin_pick_the_doubtful():
    assert _RULES["entropy"](FREE, FREE[:1], 2).tolist() == [2, 1]
    assert _RULES["margin"](FREE, FREE[:1], 2).tolist() == [1, 2]


def test_k_center_picks_the_farthest_one_after_the_other():
    free = torch.tensor([[0.0, 0.0], [1.0, 0.0], [5.0, 0.0], [4.9, 0.0], [0.0, 3.0]])
    assert _RULES["k_center"](free, torch.zeros(1, 2), 3).tolist() == [2, 4, 1]


def test_it_asks_near_the_border_after_the_first_round():
    victim = Victim()
    Active(rounds=1).extract(victim.purse(Access.SCORES, 100), theft(updates=100))
    asked = torch.stack(
        [torch.from_numpy(row) for row in {row.tobytes(): row for row in victim.asked}.values()]
    )
    scores = victim.passes.scores(asked).softmax(1).topk(2, dim=1).values
    lead = scores[:, 0] - scores[:, 1]
    assert lead[50:100].median() < lead[:50].median() / 2


def test_an_unknown_rule_is_refused():
    with pytest.raises(UsageError, match="Unknown rule 'coin'"):
        Active(rule="coin").extract(Victim().purse(Access.LABELS, 10), theft())
