import numpy as np
import pytest

from gambeson.attacks.poisoning.badnets import BadNets
from gambeson.core.errors import UsageError
from gambeson.core.reproduce import Seed
from tests.poison_worlds import PICTURES, pictures


def test_the_patch_is_a_checkerboard_one_pixel_from_the_corner():
    x, _ = pictures(2)
    stamped = BadNets(size=2).stamp(x, PICTURES, Seed(0))
    assert stamped[0, 0, 5:7, 5:7].tolist() == [[1.0, 0.0], [0.0, 1.0]]
    untouched = np.ones((8, 8), bool)
    untouched[5:7, 5:7] = False
    assert np.array_equal(stamped[:, :, untouched], x[:, :, untouched])


def test_a_patch_that_does_not_fit_is_refused():
    with pytest.raises(UsageError, match="does not fit"):
        BadNets(size=8, margin=1).stamp(pictures(1)[0], PICTURES, Seed(0))
