"""Imputation learns what the rest of a row says, and no more."""

from __future__ import annotations

import sys

import numpy as np
import pytest

from gambeson.attacks.privacy.imputation import impute, stack
from gambeson.core.errors import Unavailable
from gambeson.core.reproduce import Seed


def world(n, seed):
    rng = np.random.default_rng(seed)
    x = rng.random((n, 3))
    return x, (x[:, 1] > 0.5).astype(int) + (x[:, 1] > 0.9)


def test_what_the_rest_determines_is_found():
    own, codes = world(600, 1)
    asked, truth = world(300, 2)
    found = impute(own, codes, asked, 3, Seed(0))
    assert (found.asked.argmax(1) == truth).mean() > 0.95
    assert np.exp(found.asked).sum(1) == pytest.approx(np.ones(300))


def test_own_rows_are_judged_by_trees_that_did_not_see_them():
    rng = np.random.default_rng(0)
    own, codes = rng.random((300, 3)), rng.integers(0, 2, 300)
    found = impute(own, codes, own, 2, Seed(0))
    assert (found.own.argmax(1) == codes).mean() < 0.6
    assert (found.asked.argmax(1) == codes).mean() > 0.8


def test_values_that_never_occur_get_little_chance():
    own, codes = world(200, 1)
    found = impute(own, codes, own, 5, Seed(0))
    assert found.own.shape == (200, 5)
    assert found.own[:, 3:].max() < np.log(1e-4)
    alone = impute(own, np.ones(200, int), own, 3, Seed(0))
    assert (alone.asked.argmax(1) == 1).all()


def test_a_stack_adds_evidence():
    rng = np.random.default_rng(0)
    codes = rng.integers(0, 2, 2_000)
    weak = (codes[:, None] == [0, 1]) + rng.normal(0, 1, (2_000, 2))
    other = (codes[:, None] == [0, 1]) + rng.normal(0, 1, (2_000, 2))
    own, asked = slice(0, 1_000), slice(1_000, None)
    both = np.hstack([weak, other])
    one = (stack(weak[own], codes[own], weak[asked], 2).argmax(1) == codes[asked]).mean()
    two = (stack(both[own], codes[own], both[asked], 2).argmax(1) == codes[asked]).mean()
    assert two > one + 0.03
    assert (stack(both[own], np.zeros(1_000, int), both[asked], 2).argmax(1) == 0).all()


def test_without_scikit_learn_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "sklearn.ensemble", None)
    own, codes = world(50, 1)
    with pytest.raises(Unavailable, match="sklearn"):
        impute(own, codes, own, 3, Seed(0))
