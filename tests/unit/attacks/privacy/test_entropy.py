"""Entropy and modified entropy, against the formulas and the papers' examples."""

from __future__ import annotations

import numpy as np

from gambeson.attacks.privacy.base import MembershipTask
from gambeson.attacks.privacy.entropy import Entropy, ModifiedEntropy
from gambeson.core.reproduce import Seed

P = np.array([[0.7, 0.2, 0.1], [0.7, 0.2, 0.1], [1 / 3, 1 / 3, 1 / 3]])


def task(p, labels):
    return MembershipTask(
        target=np.log(p),
        labels=np.array(labels),
        answers=np.empty((0, *p.shape)),
        included=np.empty((0, len(p)), bool),
        features=np.empty((len(p), 0)),
        outsiders=None,
        seed=Seed(0),
    )


def test_entropy_is_that_of_the_answer_whatever_the_label():
    own = 0.7 * np.log(0.7) + 0.2 * np.log(0.2) + 0.1 * np.log(0.1)
    np.testing.assert_allclose(Entropy().infer(task(P, [0, 2, 1])), [own, own, -np.log(3)])


def test_modified_entropy_weighs_the_true_class_by_what_is_missing():
    # Mentr = -(1 - p_y) log p_y - sum over i != y of p_i log(1 - p_i)   (Song & Mittal 2021, eq. 8)
    right = 0.3 * np.log(0.7) + 0.2 * np.log(0.8) + 0.1 * np.log(0.9)
    wrong = 0.9 * np.log(0.1) + 0.7 * np.log(0.3) + 0.2 * np.log(0.8)
    even = 2 / 3 * np.log(1 / 3) + 2 * 1 / 3 * np.log(2 / 3)
    np.testing.assert_allclose(ModifiedEntropy().infer(task(P, [0, 2, 1])), [right, wrong, even])


def test_a_sure_answer_is_the_extreme_of_both_and_a_surely_wrong_one_of_the_other_end():
    sure = np.array([[1.0, 1e-300], [1e-300, 1.0]])
    scores = ModifiedEntropy().infer(task(sure, [0, 0]))
    assert scores[0] > -1e-9
    assert scores[1] < -100
    assert np.isfinite(scores).all()
