"""Copies by distillation: what they cost, what of an answer they use, and how like the model they are."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from gambeson.attacks.extraction.distillation import classes_of, distil
from gambeson.core.threat import Access
from gambeson.data.schema import Schema
from gambeson.models.passes import Passes
from tests.tiny_models import ScoreModel, linear

SCHEMA = Schema((6,), ("a", "b", "c"))
WEIGHTS = np.random.default_rng(0).normal(0, 3, (3, 6)).astype(np.float32)
X = torch.rand(600, 6, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("access", [Access.LABELS, Access.SCORES])
def test_a_copy_agrees_more_the_more_it_may_ask(access):
    passes = Passes(linear(WEIGHTS - WEIGHTS.mean(1, keepdims=True)))
    shares = []
    for queries in (20, 500):
        copy = distil(passes, X, SCHEMA, access, queries=queries, updates=300, seed=0)
        assert copy.queries == queries
        same = classes_of(passes, X[500:]) == classes_of(Passes(copy.model), X[500:])
        shares.append(float(same.float().mean()))
    assert shares[1] > max(shares[0], 0.9)


def test_labels_are_all_that_a_copy_from_labels_sees():
    scores = WEIGHTS - WEIGHTS.mean(1, keepdims=True)
    plain = ScoreModel(lambda x: (x @ scores.T).astype(np.float32), (6,), 3)
    sharp = ScoreModel(lambda x: (50 * (x @ scores.T)).astype(np.float32), (6,), 3)
    from_labels, from_scores = (
        [
            distil(Passes(m), X, SCHEMA, access, queries=200, updates=50, seed=0).model.scores(X.numpy())
            for m in (plain, sharp)
        ]
        for access in (Access.LABELS, Access.SCORES)
    )
    np.testing.assert_array_equal(*from_labels)
    assert not np.allclose(*from_scores)


def test_classes_are_those_with_the_highest_score():
    assert classes_of(
        Passes(linear([[1.0, 0.0], [0.0, 1.0]])), torch.tensor([[1.0, 0.0], [0.0, 1.0]])
    ).tolist() == [0, 1]
