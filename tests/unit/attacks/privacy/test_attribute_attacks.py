"""Attacks on one attribute: by hand on tiny rows, and against what the model knows."""

from __future__ import annotations

import numpy as np
import pytest

from gambeson.attacks.privacy.attribute_attacks import Rows, infer_attribute
from gambeson.core.reproduce import Seed

BASELINES = {"marginals", "imputation", "calibrated imputation"}


def rows(n: int, seed: int, *, scores=None) -> tuple[Rows, np.ndarray]:
    """Features that say nothing, a fair secret, a coin for a label; scores (n, 2, 2) from (codes, labels)."""
    rng = np.random.default_rng(seed)
    codes, labels = rng.integers(0, 2, n), rng.integers(0, 2, n)
    p = np.full((n, 2, 2), 0.5) if scores is None else scores(codes, labels)
    return Rows(rng.random((n, 3)), labels, np.log(p)), codes


def sure_where_true(codes, labels):
    """The model gives the true label 0.9 with the true value in place, and 0.4 with the other one."""
    p = np.empty((len(codes), 2, 2))
    for value in (0, 1):
        own = np.where(codes == value, 0.9, 0.4)
        p[np.arange(len(codes)), value, labels] = own
        p[np.arange(len(codes)), value, 1 - labels] = 1 - own
    return p


def accuracies(scores, *, knows_label=True):
    own, codes = rows(400, 1, scores=scores)
    asked, truth = rows(400, 2, scores=scores)
    found = infer_attribute(own, codes, asked, knows_label=knows_label, seed=Seed(0))
    assert set(found.baselines) == BASELINES | ({"imputation without the label"} if knows_label else set())
    return {
        name: float((guess == truth).mean()) for name, guess in {**found.baselines, **found.attacks}.items()
    }


def test_a_model_that_is_surer_of_the_truth_gives_it_away_to_every_attack():
    found = accuracies(sure_where_true)
    for attack in ("posterior", "map", "csmia", "scores and imputation", "labels and imputation"):
        assert found[attack] == 1.0, attack
    assert all(found[name] < 0.6 for name in BASELINES)


def test_without_the_label_only_attacks_that_need_none_are_tried():
    assert set(accuracies(sure_where_true, knows_label=False)) == BASELINES | {
        "scores and imputation",
        "labels and imputation",
    }


@pytest.mark.parametrize("knows_label", [True, False])
def test_a_model_that_ignores_the_attribute_leaves_the_imputation_unchanged(knows_label):
    def indifferent(codes, labels):
        p = np.random.default_rng(3).random((len(codes), 1, 1)).repeat(2, axis=1)
        return np.concatenate([p, 1 - p], axis=2)

    own, codes = rows(300, 1, scores=indifferent)
    asked, _ = rows(300, 2, scores=indifferent)
    found = infer_attribute(own, codes, asked, knows_label=knows_label, seed=Seed(0))
    for attack in ("scores and imputation", "labels and imputation"):
        np.testing.assert_array_equal(found.attacks[attack], found.baselines["calibrated imputation"])


def test_csmia_by_hand():
    """Right for one value: that one. Right for both: the surer. Never right: the less sure."""
    p = np.array([[[0.8, 0.2], [0.3, 0.7]], [[0.6, 0.4], [0.9, 0.1]], [[0.2, 0.8], [0.4, 0.6]]])
    asked = Rows(np.zeros((3, 1)), np.zeros(3, int), np.log(p))
    own, codes = rows(60, 1)
    own = Rows(np.zeros((60, 1)), own.labels, own.scores)
    found = infer_attribute(own, codes, asked, knows_label=True, seed=Seed(0))
    assert found.attacks["csmia"].tolist() == [0, 1, 1]


def test_marginals_with_the_label_are_those_of_the_label():
    own, _ = rows(200, 1)
    asked, _ = rows(50, 2)
    codes = own.labels.copy()
    found = infer_attribute(own, codes, asked, knows_label=True, seed=Seed(0))
    np.testing.assert_array_equal(found.baselines["marginals"], asked.labels)


def test_many_classes_and_values_stay_affordable():
    rng = np.random.default_rng(0)
    scores = np.log(rng.dirichlet(np.ones(20), (120, 5)))
    wide = Rows(rng.random((120, 2)), rng.integers(0, 20, 120), scores)
    found = infer_attribute(wide, rng.integers(0, 5, 120), wide, knows_label=False, seed=Seed(0))
    assert all(guess.shape == (120,) for guess in found.attacks.values())
