"""Fingerprints on real networks: a tuned copy is told from one trained on the same data."""

from __future__ import annotations

import numpy as np
import pytest

from gambeson.attacks.ownership.fingerprint import independent_models, take_fingerprint
from gambeson.core.errors import InsufficientEvidence
from gambeson.core.reproduce import Seed
from gambeson.core.threat import Access
from tests.membership_worlds import Nearest, records


def take(world, suspect, access=Access.SCORES, references=None):
    return take_fingerprint(
        world.ours,
        suspect,
        world.references if references is None else references,
        world.x,
        world.schema,
        access=access,
        seed=Seed(0),
    )


def test_a_tuned_copy_is_kin_and_an_independent_model_is_not(world):
    copied, innocent = take(world, world.tuned), take(world, world.independent)
    assert copied.typical > 0.001
    for found, other in ((copied.scores, innocent.scores), (copied.labels, innocent.labels)):
        assert found.p_value < 0.01
        assert other.p_value > 0.05


def test_without_scores_there_is_no_figure_of_them(world):
    found = take(world, world.tuned, Access.LABELS)
    assert found.scores is None
    assert found.labels == take(world, world.tuned).labels


def test_fewer_than_five_references_are_too_few(world):
    with pytest.raises(InsufficientEvidence, match="3 independent models"):
        take(world, world.tuned, references=world.references[:3])


def test_independent_models_have_starts_of_their_own():
    train, told = records(20, 1), []
    model = Nearest(train.x, train.y)
    made = independent_models(model, train.x, train.y, 3, Seed(0), lambda: told.append(1))
    assert (len(made), len(told), len(set(model.fits))) == (3, 3, 3)
    assert all(np.array_equal(one.x, train.x) for one in made)
