"""Sampling that the accounting does not assume is found."""

from __future__ import annotations

import numpy as np
import pytest

from gambeson.core.errors import UsageError
from gambeson.core.reproduce import Seed
from gambeson.defenses.private.draws import SecretDraws, SeededDraws
from gambeson.defenses.private.sampling import examine_sampling


class Fixed(SeededDraws):
    """Batches of one size, drawn anew for each step."""

    def chosen(self, step, rows, rate):
        return np.sort(self.seed.child(str(step)).generator().permutation(rows)[: round(rows * rate)])


class Shuffled(SeededDraws):
    """Passes over the data in a random order."""

    def chosen(self, step, rows, rate):
        size = round(rows * rate)
        epoch, place = divmod(step, rows // size)
        return self.seed.child(str(epoch)).generator().permutation(rows)[place * size : (place + 1) * size]


class ShuffledNoisySize(Shuffled):
    """The same, with sizes that vary like those of Poisson sampling."""

    def chosen(self, step, rows, rate):
        start = [len(SeededDraws(self.seed).chosen(s, rows, rate)) for s in range(step % 5 + 1)]
        order = self.seed.child(str(step // 5)).generator().permutation(rows)
        return order[sum(start[:-1]) : sum(start)]


class Twice(SeededDraws):
    """All rows or none."""

    def chosen(self, step, rows, rate):
        every = self.seed.child(str(step)).generator().random() < rate
        return np.arange(rows if every else 0)


@pytest.mark.parametrize("draws", [SecretDraws(), *(SeededDraws(Seed(s)) for s in range(5))])
def test_poisson_sampling_is_taken_for_what_it_is(draws):
    found = examine_sampling(draws, 50, 0.1)
    assert found.is_poisson, found
    assert 0.7 < found.spread < 1.4


@pytest.mark.parametrize(
    ("kind", "rate"), [(Fixed, 0.02), (Fixed, 0.1), (Shuffled, 0.02), (Shuffled, 0.1), (Twice, 0.1)]
)
def test_other_sampling_is_found_down_to_tiny_batches(kind, rate):
    assert not examine_sampling(kind(Seed(0)), 50, rate).is_poisson


def test_shuffling_is_found_by_its_missing_repeats_though_sizes_vary():
    found = examine_sampling(ShuffledNoisySize(Seed(0)), 200, 0.1, steps=300)
    assert found.repeats < 0.5
    assert not found.is_poisson


def test_too_few_steps_are_refused():
    with pytest.raises(UsageError, match="100 steps"):
        examine_sampling(SecretDraws(), 50, 0.1, 10)
