from dataclasses import replace

import numpy as np

from gambeson.defenses.poisoning.confident_learning import ConfidentLearning
from tests.poison_worlds import poisoned_inspection


def test_the_margin_of_the_likeliest_other_class():
    seen, _ = poisoned_inspection()
    held_out = np.log(np.array([[0.7, 0.2, 0.05, 0.05], [0.1, 0.6, 0.2, 0.1]], np.float32))
    small = replace(seen, y=np.array([0, 0]), held_out=held_out)
    assert np.allclose(ConfidentLearning().suspicion(small), np.log([0.2 / 0.7, 0.6 / 0.1]), atol=1e-5)


def test_flipped_labels_come_first():
    seen, bad = poisoned_inspection()
    flipped = np.flatnonzero(~bad)[:40]
    y = seen.y.copy()
    y[flipped] = (y[flipped] + 1) % 4
    order = np.argsort(-ConfidentLearning().suspicion(replace(seen, y=y)))
    assert np.isin(order[:40], flipped).mean() > 0.8
