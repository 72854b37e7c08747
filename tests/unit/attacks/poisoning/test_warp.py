import numpy as np
import pytest

from gambeson.attacks.poisoning.warp import Warp
from gambeson.core.errors import UsageError
from gambeson.core.reproduce import Seed
from tests.poison_worlds import PICTURES, picture_task, pictures


def test_a_picture_of_one_colour_is_its_own_warp():
    x = np.full((2, 1, 8, 8), 0.4, np.float32)
    assert np.allclose(Warp(strength=3).stamp(x, PICTURES, Seed(0)), 0.4, atol=1e-6)


def test_the_warp_is_gentle_and_stronger_with_strength():
    x, _ = pictures(4)
    weak, strong = (np.abs(Warp(strength=s).stamp(x, PICTURES, Seed(0)) - x).mean() for s in (0.1, 2.0))
    assert 0 < weak < strong


def test_noise_rows_keep_their_labels():
    task = picture_task()
    made = Warp(noise=1.0).poison(task)
    poisoned = set(Warp().poison(task).rows.tolist())
    extra = [i for i, row in enumerate(made.rows.tolist()) if row not in poisoned]
    assert len(extra) == len(poisoned) == 24
    assert (made.y[extra] == task.y[made.rows[extra]]).all()


def test_one_control_point_is_refused():
    with pytest.raises(UsageError):
        Warp(points=1).stamp(pictures(1)[0], PICTURES, Seed(0))
