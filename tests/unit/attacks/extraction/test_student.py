"""Students learn what they are told, repeatably, and refuse what they cannot represent."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn.functional import one_hot

from gambeson.attacks.extraction.student import choose_student, learn, learn_network, moved
from gambeson.core.errors import InsufficientEvidence, UsageError
from gambeson.data.schema import Feature, Kind, Schema
from tests.extraction_worlds import CLASSES, FEATURES, Victim, theft

GIVEN = theft()
ANSWERS = Victim().passes.scores(GIVEN.x).softmax(1)


@pytest.mark.parametrize("student", ["network", "trees"])
def test_a_student_foretells_what_it_was_told(student):
    copy = learn(theft(student=student, updates=300), GIVEN.x[:300], ANSWERS[:300])
    said = copy.scores(GIVEN.x[300:].numpy()).argmax(1)
    assert (said == ANSWERS[300:].argmax(1).numpy()).mean() > 0.6


@pytest.mark.parametrize("student", ["network", "trees"])
def test_the_same_seed_gives_the_same_copy_and_leaves_the_random_state_alone(student):
    torch.manual_seed(5)
    state = torch.get_rng_state()
    first, again = (
        learn(theft(student=student, updates=20), GIVEN.x[:60], ANSWERS[:60]).scores(GIVEN.x.numpy())
        for _ in "ab"
    )
    np.testing.assert_array_equal(first, again)
    assert torch.equal(torch.get_rng_state(), state)


def test_a_surrogate_with_too_few_outputs_is_refused():
    with pytest.raises(UsageError, match="the model has 5 classes"):
        learn_network(GIVEN, GIVEN.x, ANSWERS, build=lambda: nn.Linear(FEATURES, CLASSES - 1))


def test_a_surrogate_of_ones_own_is_trained():
    copy = learn_network(theft(updates=200), GIVEN.x, ANSWERS, build=lambda: nn.Linear(FEATURES, CLASSES))
    assert isinstance(copy.module, nn.Linear)


@pytest.mark.parametrize("student", ["network", "trees"])
def test_answers_of_the_wrong_shape_and_none_at_all_are_refused(student):
    with pytest.raises(UsageError, match="shape"):
        learn(theft(student=student), GIVEN.x, ANSWERS[:, :3])
    with pytest.raises(InsufficientEvidence, match="0 answers"):
        learn(theft(student=student), GIVEN.x[:0], ANSWERS[:0])


def test_an_unknown_student_is_refused():
    with pytest.raises(UsageError, match="Unknown student 'oracle'"):
        learn(theft(student="oracle"), GIVEN.x, ANSWERS)


def test_pictures_are_moved_a_little_and_stay_pictures():
    torch.manual_seed(0)
    x = torch.zeros(20, 1, 12, 12)
    x[:, :, 4:8, 4:8] = 1
    there = moved(x)
    assert there.shape == x.shape
    assert (there >= 0).all()
    assert (there <= 1).all()
    assert not torch.equal(there, x)
    assert ((there > 0.5) == (x > 0.5)).float().mean() > 0.9


def test_trees_are_chosen_where_they_foretell_more():
    features = tuple(Feature(f"c{i}", Kind.CATEGORICAL, 0, 29, tuple(map(str, range(30)))) for i in range(4))
    schema = Schema((4,), ("no", "yes"), features=features)
    x = torch.randint(0, 30, (600, 4), generator=torch.Generator().manual_seed(0)).float()
    answers = one_hot(((x[:, 0] % 2 == 0) ^ (x[:, 1] > 14)).long(), 2).float()
    assert choose_student(theft(schema=schema, classes=2), x, answers) == "trees"
    assert choose_student(theft(), GIVEN.x, ANSWERS) == "network"  # no table: nothing to choose
