"""Inputs made up without data: valid, varied, and dreamt to be what the copy is asked for."""

from __future__ import annotations

import numpy as np
import torch

from gambeson.attacks.extraction.data_free import DataFree, _made_up
from gambeson.core.threat import Access
from gambeson.data.schema import Schema
from tests.extraction_worlds import Victim, fidelity, theft
from tests.tables import schema


def test_made_up_pictures_are_smooth_and_within_bounds():
    made = _made_up(theft(schema=Schema((1, 16, 16), ("a", "b"))), 50, np.random.default_rng(0))
    assert made.shape == (50, 1, 16, 16)
    assert (made >= 0).all()
    assert (made <= 1).all()
    step = (made[..., 1:] - made[..., :-1]).abs().mean()
    assert step < (made - made.flatten()[torch.randperm(made.numel())].reshape(made.shape)).abs().mean() / 2
    assert made.mean((1, 2, 3)).std() > 0.1


def test_made_up_rows_keep_whole_numbers_and_codes():
    table = schema()
    made = _made_up(theft(schema=table), 200, np.random.default_rng(0))
    low, high = (torch.from_numpy(bound) for bound in table.bounds())
    whole = torch.from_numpy(table.integer_mask())
    assert (made >= low).all()
    assert (made <= high).all()
    assert (made[:, whole] == made[:, whole].round()).all()
    assert (made[:, whole].max(0).values == high[whole]).all()


def test_a_copy_without_data_is_better_than_chance_and_spends_its_purse():
    victim = Victim()
    copy = DataFree().extract(victim.purse(Access.SCORES, 300), theft(0, updates=300))
    assert len({row.tobytes() for row in victim.asked}) == 300
    assert fidelity(copy) > 0.7
