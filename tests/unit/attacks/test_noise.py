"""Directions cut from a table."""

from __future__ import annotations

import torch

from gambeson.attacks.noise import normal, starts, table
from gambeson.attacks.randomness import SampleRandom

RNG = SampleRandom(torch.arange(6) * 7919)


def test_a_sample_draws_the_same_in_any_company_and_however_many_it_draws():
    places = starts(RNG, 3, 1_500)
    assert torch.equal(places[2:3], starts(RNG.select(torch.tensor([2])), 3, 1_500))
    assert torch.equal(places[:, :700], starts(RNG, 3, 700))
    assert torch.equal(places[:, :1_200], starts(RNG, 3, 1_200))
    assert len(places.unique()) > 0.99 * places.numel()


def test_steps_and_streams_differ():
    assert not torch.equal(starts(RNG, 1, 9), starts(RNG, 2, 9))
    assert not torch.equal(starts(RNG, 1, 9), starts(RNG, 1, 9, stream=1))


def test_numbers_are_standard_normal_and_rows_at_right_angles():
    drawn = normal(SampleRandom(torch.arange(200)), 0, 3, 20, 20).flatten(1)
    assert abs(float(drawn.mean())) < 0.01
    assert abs(float(drawn.std()) - 1) < 0.01
    cosine = torch.corrcoef(drawn).triu(1)
    assert cosine.abs().max() < 5.5 / drawn.shape[1] ** 0.5


def test_the_last_row_of_the_table_is_whole():
    last = table(50, torch.device("cpu"))[-1]
    assert last.shape == (50,)
    assert torch.isfinite(last).all()
