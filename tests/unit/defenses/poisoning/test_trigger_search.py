import numpy as np

from gambeson.data.schema import Schema
from gambeson.defenses.poisoning.trigger_search import Search, find_triggers
from tests.poison_worlds import PatchModel, pictures

SCHEMA = Schema((1, 8, 8), tuple("abcdef"))


def test_the_planted_patch_is_found_and_is_the_smallest():
    x, _ = pictures(64)
    model = PatchModel(strength=60.0)
    found = find_triggers(model, x, SCHEMA, Search(steps=150), np.random.default_rng(0))
    assert found.sizes.argmin() == 2
    assert (model.scores(found.stamp(x, 2)).argmax(1) == 2).mean() > 0.9
    assert found.masks[2, 0, 7, 7] > 3 * found.masks[2, 0, :4, :4].mean()


def test_classes_together_find_what_one_class_alone_finds():
    x, _ = pictures(64)
    model = PatchModel(strength=60.0)
    together = find_triggers(model, x, SCHEMA, Search(steps=150), np.random.default_rng(0))
    alone = find_triggers(model, x, SCHEMA, Search(steps=150), np.random.default_rng(0), labels=np.array([2]))
    assert abs(together.sizes[2] - alone.sizes[0]) < 0.5 * alone.sizes[0] + 1


def test_values_stay_in_bounds():
    x, _ = pictures(32)
    found = find_triggers(PatchModel(), x, SCHEMA, Search(steps=5), np.random.default_rng(0))
    assert ((found.masks >= 0) & (found.masks <= 1)).all()
    assert ((found.patterns >= 0) & (found.patterns <= 1)).all()
