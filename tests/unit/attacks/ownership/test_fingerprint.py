"""Fingerprints on real networks: a tuned copy is told from one trained on the same data."""

from __future__ import annotations

import numpy as np
import pytest

from gambeson.attacks.ownership.fingerprint import independent_models, kinship_test
from gambeson.core.errors import InsufficientEvidence
from gambeson.core.reproduce import Seed
from gambeson.core.threat import Access
from tests.membership_worlds import Nearest, records


@pytest.mark.parametrize("access", [Access.LABELS, Access.SCORES])
def test_a_tuned_copy_is_kin_and_an_independent_model_is_not(world, access):
    def p_value(suspect):
        found, typical = kinship_test(
            world.ours, suspect, world.references, world.x, world.schema, access, Seed(0)
        )
        assert typical > 0.001
        return found.p_value

    assert p_value(world.tuned) < 0.01
    assert p_value(world.independent) > 0.05


def test_fewer_than_five_references_are_too_few(world):
    with pytest.raises(InsufficientEvidence, match="3 independent models"):
        kinship_test(
            world.ours, world.tuned, world.references[:3], world.x, world.schema, Access.SCORES, Seed(0)
        )


def test_independent_models_have_starts_of_their_own():
    train, told = records(20, 1), []
    model = Nearest(train.x, train.y)
    made = independent_models(model, train.x, train.y, 3, Seed(0), lambda: told.append(1))
    assert (len(made), len(told), len(set(model.fits))) == (3, 3, 3)
    assert all(np.array_equal(one.x, train.x) for one in made)
