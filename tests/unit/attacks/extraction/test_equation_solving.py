"""Equation solving recovers linear models exactly, from one query more than they have inputs."""

from __future__ import annotations

import numpy as np
import pytest

from gambeson.attacks.extraction.equation_solving import centred, solve


def softmax_regression(rng, classes=10, features=20):
    return rng.normal(0, 1, (classes, features)), rng.normal(0, 1, classes)


@pytest.mark.parametrize("probabilities", [False, True])
def test_a_ten_class_regression_is_recovered_from_its_scores(probabilities):
    weights, bias = softmax_regression(np.random.default_rng(0))
    low, high, asked = np.full(20, -1.0, np.float32), np.full(20, 3.0, np.float32), []

    def answer(x):
        asked.append(len(x))
        logits = x.astype(np.float64) @ weights.T + bias
        return logits - np.log(np.exp(logits).sum(1, keepdims=True)) if probabilities else logits

    found = solve(answer, low, high)
    assert asked == [21]
    assert found.queries == 21
    # softmax leaves open what is common to all classes
    np.testing.assert_allclose(found.weights, weights - weights.mean(0), atol=1e-6)
    np.testing.assert_allclose(found.bias, bias - bias.mean(), atol=1e-6)
    assert np.abs(found.weights - weights + weights.mean(0)).max() <= found.certain == found.likely < 1e-4
    assert found.precision.exact
    x = np.random.default_rng(1).uniform(-1, 3, (50, 20)).astype(np.float32)
    np.testing.assert_allclose(found.logits(x), centred(x @ weights.T + bias), atol=1e-5)


def test_features_that_cannot_move_get_no_weight_and_cost_no_query():
    weights, bias = softmax_regression(np.random.default_rng(0), 3, 4)
    low, high = np.array([0, 1, 0, 0], np.float32), np.array([1, 1, 2, 1], np.float32)
    found = solve(lambda x: x @ weights.T + bias, low, high)
    assert found.queries == 4
    assert (found.weights[:, 1] == 0).all()
    inside = np.array([[0.2, 1.0, 1.5, 0.9]], np.float32)
    np.testing.assert_allclose(found.logits(inside), centred(inside @ weights.T + bias), atol=1e-5)


def test_images_keep_the_order_of_their_pixels():
    weights, bias = softmax_regression(np.random.default_rng(2), 4, 18)
    bounds = np.zeros((2, 3, 3), np.float32), np.ones((2, 3, 3), np.float32)
    found = solve(lambda x: x.reshape(len(x), -1) @ weights.T + bias, *bounds)
    np.testing.assert_allclose(found.weights, weights - weights.mean(0), atol=1e-5)
