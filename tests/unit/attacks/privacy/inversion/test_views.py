"""Random views."""

from __future__ import annotations

import torch

from gambeson.attacks.privacy.inversion.space import space_of
from gambeson.attacks.privacy.inversion.views import look
from gambeson.attacks.randomness import SampleRandom
from tests.inversion_worlds import SCHEMA, TABLE, patterns

KEYS = torch.arange(5)
PICTURES = space_of(SCHEMA, patterns())


def test_an_even_picture_looks_the_same_from_everywhere():
    even = torch.full((5, 1, 8, 8), 0.25)
    assert torch.allclose(look(even, PICTURES, SampleRandom(KEYS), 3, even[0]), even)


def test_views_differ_by_step_and_not_by_batch():
    random, x = SampleRandom(KEYS), patterns()
    one, two = (look(x, PICTURES, random, step, x[0]) for step in (1, 2))
    assert not torch.equal(one, two)
    alone = look(x[3:4], PICTURES, random.select(torch.tensor([3])), 1, x[0])
    assert torch.allclose(alone, one[3:4], atol=1e-6)


def test_a_view_of_a_table_leaves_out_at_most_a_third_and_puts_typical_values_there():
    space = space_of(TABLE, torch.zeros(0, 64))
    seen = look(torch.ones(5, 64), space, SampleRandom(KEYS), 0, torch.full((64,), 0.5))
    assert set(seen.unique().tolist()) <= {0.5, 1.0}
    assert 0 < (seen == 0.5).float().mean() < 0.4
