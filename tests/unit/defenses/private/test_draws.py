"""Chance: each row by itself, normal numbers that are normal, and what repeats."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from gambeson.core.reproduce import Seed
from gambeson.defenses.private.draws import SecretDraws, SeededDraws

BOTH = [SecretDraws(), SeededDraws(Seed(0))]


@pytest.mark.parametrize("draws", BOTH)
def test_numbers_of_rows_are_binomial_and_rows_are_chosen_alike(draws):
    chosen = [draws.chosen(step, 50, 0.2) for step in range(2_000)]
    sizes = np.array([len(c) for c in chosen])
    expected = stats.binom.pmf(np.arange(51), 50, 0.2) * len(sizes)
    kept = expected > 5
    observed = np.bincount(sizes, minlength=51)
    statistic = ((observed - expected)[kept] ** 2 / expected[kept]).sum()
    assert stats.chi2.sf(statistic, kept.sum()) > 1e-5
    counts = np.bincount(np.concatenate(chosen), minlength=50)
    assert stats.chi2.sf(((counts - 400) ** 2 / 320).sum(), 50) > 1e-5
    assert all((np.diff(c) > 0).all() for c in chosen[:20])


@pytest.mark.parametrize("draws", BOTH)
def test_steps_without_rows_and_with_all_of_them(draws):
    assert any(len(draws.chosen(step, 5, 0.05)) == 0 for step in range(50))
    assert draws.chosen(0, 5, 1.0).tolist() == [0, 1, 2, 3, 4]


@pytest.mark.parametrize("draws", BOTH)
def test_noise_is_standard_normal(draws):
    noise = draws.normal(3, 50_001)
    assert noise.dtype == np.float32
    assert stats.kstest(noise, "norm").pvalue > 1e-5
    assert abs(np.corrcoef(noise[1:], noise[:-1])[0, 1]) < 0.03


def test_a_seed_repeats_and_each_step_has_noise_of_its_own():
    draws = SeededDraws(Seed(0))
    assert np.array_equal(draws.normal(1, 9), draws.normal(1, 9))
    assert not np.array_equal(draws.normal(1, 9), draws.normal(2, 9))
    assert not draws.secret


def test_the_operating_system_never_repeats():
    draws = SecretDraws()
    assert not np.array_equal(draws.normal(1, 9), draws.normal(1, 9))
    assert draws.secret


def test_numbers_that_come_from_the_same_angles_are_independent():
    noise = SecretDraws().normal(0, 100_000)
    first, second = noise[:50_000], noise[50_000:]
    for f in (np.abs, np.square, lambda v: v):
        assert abs(np.corrcoef(f(first), f(second))[0, 1]) < 0.03
    assert stats.kstest(first + second, "norm", args=(0, np.sqrt(2))).pvalue > 1e-5


def test_the_cipher_never_gives_the_same_stretch_twice():
    drawn = SecretDraws()._bytes(3 << 20).view(np.uint64)
    assert len(np.unique(drawn)) == len(drawn)
    assert not np.isin(SecretDraws()._bytes(1 << 20).view(np.uint64), drawn).any()
