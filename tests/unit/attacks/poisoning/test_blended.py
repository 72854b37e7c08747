import numpy as np
import pytest

from gambeson.attacks.poisoning.blended import Blended
from gambeson.core.errors import UsageError
from gambeson.core.reproduce import Seed
from tests.poison_worlds import PICTURES, pictures


def test_every_input_is_mixed_with_the_same_pattern():
    x, _ = pictures(3)
    stamped = Blended(alpha=0.25).stamp(x, PICTURES, Seed(0))
    patterns = (stamped - 0.75 * x) / 0.25
    assert np.allclose(patterns, patterns[0], atol=1e-5)
    assert patterns.std() > 0.2


def test_alpha_1_leaves_the_pattern_alone_and_0_is_refused():
    x, _ = pictures(2)
    stamped = Blended(alpha=1.0).stamp(x, PICTURES, Seed(0))
    assert np.array_equal(stamped[0], stamped[1])
    with pytest.raises(UsageError):
        Blended(alpha=0.0).stamp(x, PICTURES, Seed(0))
