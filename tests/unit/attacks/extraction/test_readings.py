"""What answers say of their own precision, and the intervals that follow from it."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gambeson.attacks.extraction.readings import Precision, detect, read


def answers(rng, n=60, classes=6):
    logits = rng.normal(0, 1.5, (n, classes))
    p = np.exp(logits)
    return p / p.sum(1, keepdims=True)


def log(p):
    return np.log(np.maximum(p, 1e-30)).astype(np.float32)


@pytest.mark.parametrize("decimals", [1, 2, 3, 4, 5])
def test_rounding_is_told_from_the_answers(decimals):
    p = np.round(answers(np.random.default_rng(0)), decimals)
    assert detect(log(p), probabilities=True) == Precision(True, decimals)


@pytest.mark.parametrize("decimals", [1, 2, 3, 4])
def test_rounding_of_logits_is_told_too(decimals):
    logits = np.round(np.random.default_rng(1).normal(0, 2, (60, 6)), decimals).astype(np.float32)
    assert detect(logits, probabilities=False) == Precision(False, decimals)


def test_answers_in_full_are_not_taken_for_rounded():
    p = answers(np.random.default_rng(0))
    assert detect(log(p), probabilities=True).exact
    assert detect(np.log(p).astype(np.float32), probabilities=False).exact


@pytest.mark.parametrize("decimals", [None, 3])
def test_a_cut_to_the_likeliest_classes_is_told_from_zeros_that_rounding_made(decimals):
    p = answers(np.random.default_rng(0))
    cut = np.where(p >= np.sort(p, 1)[:, -3:-2], p, 0)
    shown = cut if decimals is None else np.round(cut, decimals)
    assert detect(log(shown), probabilities=True) == Precision(True, decimals, 3)
    saturated = np.tile([0.7, 0.296, 0.0041, 0, 0, 0], (30, 1)) + np.arange(30)[:, None] * [
        1e-3,
        -1e-3,
    ] @ np.eye(2, 6)
    assert detect(log(np.round(saturated, 3)), probabilities=True).shown is None


@given(st.integers(0, 2**32 - 1), st.sampled_from([1, 2, 3, 4]))
@settings(max_examples=50, deadline=None)
def test_the_true_logarithm_lies_in_the_interval(seed, decimals):
    p = answers(np.random.default_rng(seed))
    reading = read(log(np.round(p, decimals)), Precision(True, decimals))
    known = np.isfinite(reading.half)
    assert (np.abs(np.log(p) - reading.middle)[known] <= reading.half[known] + 1e-9).all()
    # what rounding made zero says nothing of its logarithm
    np.testing.assert_array_equal(known, np.round(p, decimals) > 0.5 * 10.0**-decimals)


def test_rounded_logits_are_known_to_half_a_unit():
    reading = read(np.array([[1.2, -0.3]], np.float32), Precision(False, 1))
    np.testing.assert_allclose(reading.half, 0.05, atol=1e-5)


def test_precision_reads_as_words():
    assert str(Precision(True, 3, 5)) == "probabilities, rounded to 3 decimals, the 5 largest"
    assert str(Precision(False)) == "logits, float32"
