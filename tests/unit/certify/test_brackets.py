"""The interval: its ends, and that a contradiction is never dropped."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from gambeson.attacks.ensemble import stage
from gambeson.attacks.harness import Run, Samples
from gambeson.certify.brackets import Attacked, Contradiction, attack_upwards, brackets
from gambeson.core.reproduce import Seed
from gambeson.core.threat import Norm
from gambeson.models.passes import Passes
from tests.tiny_models import linear
from tests.unit.certify.nets import cube

RADII = (0.1, 0.2)
CERTIFIED = np.array([[1, 1, 0, 0], [1, 0, 0, 0]], bool)
FALLEN = np.array([[0, 0, 0, 0], [0, 0, 1, 0]], bool)
CORRECT = np.array([1, 1, 1, 0], bool)
INDEX = np.array([10, 11, 12, 13])


def test_both_ends_are_fractions_of_all_samples():
    first, second = brackets(RADII, CERTIFIED, Attacked(CORRECT, FALLEN, 0), INDEX)
    assert (first.certified.value, first.attacked.value) == (0.5, 0.75)
    assert (second.certified.value, second.attacked.value) == (0.25, 0.5)
    assert first.certified.n == 4


def test_a_sample_that_is_both_certified_and_broken_ends_everything():
    fallen = FALLEN.copy()
    fallen[1, 0] = True
    with pytest.raises(Contradiction, match=r"1 samples are certified at eps=0.2 .* \(rows 10\)"):
        brackets(RADII, CERTIFIED, Attacked(CORRECT, fallen, 0), INDEX)
    brackets(RADII, CERTIFIED, Attacked(CORRECT, fallen, 0), INDEX, allowed=1)


def test_what_fell_stays_fallen_and_the_wrong_are_not_attacked():
    x = torch.tensor([[0.45], [0.35], [0.1], [0.6]])
    samples = Samples(x, torch.zeros(4, dtype=torch.int64), np.arange(4))
    passes = Passes(linear([[0.0], [10.0]], [0.0, -5.0]))
    found = attack_upwards(
        [stage("pgd", steps=5)], passes, samples, cube((1,), Norm.LINF, 0.1), RADII, run=Run(Seed(0))
    )
    assert found.correct.tolist() == [True, True, True, False]
    assert found.fallen.tolist() == [[True, False, False, False], [True, True, False, False]]
