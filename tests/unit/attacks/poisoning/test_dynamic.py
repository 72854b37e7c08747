import numpy as np
import pytest

from gambeson.attacks.poisoning.dynamic import Dynamic
from gambeson.core.errors import UsageError
from gambeson.core.reproduce import Seed
from tests.poison_worlds import PICTURES, pictures


def test_each_input_is_stamped_in_its_quietest_corner():
    x = np.random.default_rng(0).random((4, 1, 8, 8)).astype(np.float32)
    corners = [
        (slice(0, 2), slice(0, 2)),
        (slice(0, 2), slice(6, 8)),
        (slice(6, 8), slice(0, 2)),
        (slice(6, 8), slice(6, 8)),
    ]
    for row, (down, right) in enumerate(corners):
        x[row, 0, down, right] = 0.5
    stamped = Dynamic(size=2).stamp(x, PICTURES, Seed(1))
    for row, (down, right) in enumerate(corners):
        assert set(np.unique(stamped[row, 0, down, right])) <= {0.0, 1.0}
        changed = np.argwhere(stamped[row, 0] != x[row, 0])
        assert all(i in range(8)[down] and j in range(8)[right] for i, j in changed)


def test_two_inputs_may_carry_different_triggers():
    x, _ = pictures(60)
    moved = (Dynamic(size=2).stamp(x, PICTURES, Seed(1)) != x).any(axis=1).reshape(60, -1)
    assert len(np.unique(moved, axis=0)) > 1


def test_patches_that_would_overlap_are_refused():
    with pytest.raises(UsageError):
        Dynamic(size=5).stamp(pictures(1)[0], PICTURES, Seed(0))
