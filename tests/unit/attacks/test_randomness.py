from __future__ import annotations

import numpy as np
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from gambeson.attacks.randomness import SampleRandom
from gambeson.core.reproduce import Seed


def rng(n: int = 64, seed: int = 0) -> SampleRandom:
    return SampleRandom(torch.from_numpy(Seed(seed).keys(np.arange(n))))


def test_uniform_draws_pass_kolmogorov_smirnov_and_fill_the_interval():
    draws = rng().uniform(3, 500).flatten().double().numpy()
    assert draws.min() >= 0
    assert draws.max() < 1
    assert stats.kstest(draws, "uniform").pvalue > 1e-3


def test_normal_draws_pass_kolmogorov_smirnov():
    assert stats.kstest(rng().normal(0, 500).flatten().double().numpy(), "norm").pvalue > 1e-3


def test_neighbouring_steps_streams_samples_and_positions_are_uncorrelated():
    one = rng().uniform(0, 400)
    for other in (rng().uniform(1, 400), rng().uniform(0, 400, stream=1), one.roll(1, 0), one.roll(1, 1)):
        correlation = np.corrcoef(one.flatten().numpy(), other.flatten().numpy())[0, 1]
        assert abs(correlation) < 0.03


def test_signs_are_balanced():
    signs = rng().signs(0, 400)
    assert set(signs.unique().tolist()) == {-1.0, 1.0}
    assert abs(float(signs.mean())) < 0.03


@given(keep=st.lists(st.integers(0, 63), min_size=1, max_size=20), step=st.integers(0, 10_000))
@settings(max_examples=25, deadline=None)
def test_a_sample_draws_the_same_in_every_batch(keep, step):
    rows = torch.tensor(keep)
    assert torch.equal(rng().uniform(step, 3, 2)[rows], rng().select(rows).uniform(step, 3, 2))
