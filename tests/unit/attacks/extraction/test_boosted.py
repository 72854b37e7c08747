"""Boosted students: soft answers, classes that nobody named, models that always say the same."""

from __future__ import annotations

import numpy as np

from gambeson.attacks.extraction.boosted import fit_trees
from gambeson.data.schema import Schema

SCHEMA = Schema((2,), tuple("abc"))
X = np.random.default_rng(0).random((400, 2)).astype(np.float32)


def test_soft_answers_are_matched():
    p = np.where(X[:, :1] > 0.5, [[0.7, 0.3, 0.0]], [[0.2, 0.8, 0.0]]).astype(np.float32)
    copy = fit_trees(X, p, SCHEMA, seed=0)
    assert np.abs(np.exp(copy.scores(X)) - p).mean() < 0.05
    # no answer named the third class
    assert (np.exp(copy.scores(X))[:, 2] < 1e-5).all()


def test_a_model_that_always_says_the_same_has_a_constant_copy():
    copy = fit_trees(X, np.tile([[0.0, 1.0, 0.0]], (400, 1)), SCHEMA, seed=0)
    assert (copy.scores(X).argmax(1) == 1).all()
    assert copy.scores(X).shape == (400, 3)
