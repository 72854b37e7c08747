import numpy as np

from gambeson.core.reproduce import Seed
from gambeson.defenses.poisoning.base import log_softmax
from gambeson.defenses.poisoning.inspecting import STAGES, Plan, inspect
from tests.poison_worlds import PICTURES, pictures, plain_network, poisoned_inspection


def test_what_is_collected_fits_together():
    seen, bad = poisoned_inspection()
    n = len(bad)
    assert seen.features.shape == (n, 16)
    assert seen.losses.shape[1] == n
    assert np.allclose(np.exp(seen.held_out).sum(1), 1, atol=1e-4)
    last = -np.take_along_axis(log_softmax(seen.logits), seen.y[:, None], 1)[:, 0]
    assert np.allclose(seen.losses[-1], last, atol=1e-4)


def test_the_confused_network_knows_the_trigger_better_than_anything_else():
    seen, bad = poisoned_inspection()
    right = seen.confused.argmax(1) == seen.y
    assert right[bad].mean() > 0.9
    assert right[~bad].mean() < 0.75


def test_trusted_rows_alone_teach_no_trigger():
    seen, bad = poisoned_inspection()
    right = seen.trusted_answers.argmax(1) == seen.y
    assert right[bad].mean() < 0.2
    assert right[~bad].mean() > 0.9


def test_the_same_seed_sees_the_same_and_every_network_is_reported():
    x, y = pictures(120)
    said: list[str] = []
    plan = Plan(Seed(4), 2, plain_network, said.append)
    first, second = (inspect(x, y, pictures(60, seed=5), PICTURES, plan) for _ in range(2))
    assert len(said) == 2 * STAGES
    assert np.array_equal(first.confused, second.confused)
    assert np.array_equal(first.held_out, second.held_out)
