"""Linear models come through rounded and cut answers within the bound that is given."""

from __future__ import annotations

import numpy as np
import pytest

from gambeson.attacks.extraction.equation_solving import solve
from gambeson.core.errors import Unavailable
from gambeson.core.reproduce import Seed

FEATURES, CLASSES = 8, 6
LOW, HIGH = np.zeros(FEATURES, np.float32), np.ones(FEATURES, np.float32)

WIDE = np.zeros(24, np.float32), np.ones(24, np.float32)


def victim(seed, scale=2.0, features=FEATURES):
    rng = np.random.default_rng(seed)
    weights, bias = rng.normal(0, scale, (CLASSES, features)), rng.normal(0, 0.5, CLASSES)
    return weights - weights.mean(0), bias - bias.mean()


def endpoint(weights, bias, decimals=None, shown=CLASSES):
    def answer(x):
        logits = x.astype(np.float64) @ weights.T + bias
        p = np.exp(logits - logits.max(1, keepdims=True))
        p /= p.sum(1, keepdims=True)
        p = np.where(p >= np.sort(p, 1)[:, CLASSES - shown][:, None], p, 0)
        return np.log(np.maximum(p if decimals is None else np.round(p, decimals), 1e-30)).astype(np.float32)

    return answer


def error(found, weights, bias):
    return max(np.abs(found.weights - weights).max(), np.abs(found.bias - bias).max())


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("decimals", [2, 3, 4])
def test_the_error_through_rounding_is_within_the_bounds(decimals, seed):
    weights, bias = victim(seed)
    found = solve(endpoint(weights, bias, decimals), LOW, HIGH, probabilities=True)
    assert found.precision.decimals == decimals
    assert found.queries <= 11 * (FEATURES + 1)
    assert error(found, weights, bias) <= found.likely <= found.certain
    assert found.likely < 0.6 if decimals > 2 else 6


def test_one_step_along_each_feature_alone_is_far_worse():
    weights, bias = victim(0)
    answer = endpoint(weights, bias, 2)
    base = answer(np.vstack([LOW, np.eye(FEATURES, dtype=np.float32)]))
    naive = (base[1:] - base[0]).T
    naive -= naive.mean(0)
    found = solve(answer, LOW, HIGH, probabilities=True)
    assert error(found, weights, bias) < np.abs(naive - weights).max() / 3


def test_the_likeliest_classes_are_enough():
    weights, bias = victim(1, 1.0, 24)
    found = solve(endpoint(weights, bias, None, 3), *WIDE, probabilities=True, queries=1_200)
    assert found.precision.shown == 3
    assert error(found, weights, bias) < 1e-5


def test_the_likeliest_classes_rounded_are_enough():
    weights, bias = victim(1, 1.0, 24)
    found = solve(endpoint(weights, bias, 3, 3), *WIDE, probabilities=True, queries=1_200)
    assert (found.precision.shown, found.precision.decimals) == (3, 3)
    assert error(found, weights, bias) <= found.likely < 0.2


def test_more_queries_make_it_more_exact():
    weights, bias = victim(2)
    errors = [
        error(solve(endpoint(weights, bias, 2), LOW, HIGH, probabilities=True, queries=n), weights, bias)
        for n in (40, 2_000)
    ]
    assert errors[1] < errors[0] / 2


def test_the_same_seed_gives_the_same_model():
    weights, bias = victim(0)
    first, again, other = (
        solve(endpoint(weights, bias, 3), LOW, HIGH, probabilities=True, seed=Seed(s)).weights
        for s in (1, 1, 2)
    )
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)


def test_too_few_queries_are_refused():
    with pytest.raises(Unavailable, match="too few to see through"):
        solve(endpoint(*victim(0), 3), LOW, HIGH, probabilities=True, queries=12)


def test_classes_that_are_never_shown_together_are_said():
    bias = np.array([0.0, 0, 0, 0, 0, -40])
    with pytest.raises(Unavailable, match="are shown together in"):
        solve(endpoint(victim(0)[0], bias, None, 3), LOW, HIGH, probabilities=True, queries=400)
