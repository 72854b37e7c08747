import numpy as np

from gambeson.data.schema import Schema
from gambeson.defenses.poisoning.shortcut import Descent, find_shortcuts
from tests.poison_worlds import PatchModel, pictures

SCHEMA = Schema((1, 8, 8), tuple("abcdef"))


def test_the_backdoor_needs_the_smallest_perturbation_and_it_works():
    x, _ = pictures(64)
    model = PatchModel(strength=60.0)
    found = find_shortcuts(model, x, SCHEMA, Descent(steps=120), np.random.default_rng(0))
    assert found.sizes.argmin() == 2
    moved = np.clip(x + found.changes[2], 0, 1)
    assert (model.scores(moved).argmax(1) == 2).mean() > 0.5


def test_sizes_are_those_of_the_changes():
    x, _ = pictures(32)
    found = find_shortcuts(PatchModel(), x, SCHEMA, Descent(steps=10), np.random.default_rng(0))
    assert np.allclose(found.sizes, np.sqrt((found.changes.reshape(6, -1) ** 2).mean(1)), atol=1e-6)
