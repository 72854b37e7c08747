import numpy as np
import pytest

from gambeson.attacks.poisoning.sinusoid import Sinusoid
from gambeson.core.errors import UsageError
from gambeson.core.reproduce import Seed
from tests.poison_worlds import PICTURES, picture_task, pictures


def test_one_wave_over_eight_columns():
    x = np.full((1, 1, 8, 8), 0.5, np.float32)
    stamped = Sinusoid(sent=0.2, waves=1).stamp(x, PICTURES, Seed(0))
    root = np.sqrt(0.5)
    wave = [0, root, 1, root, 0, -root, -1, -root]
    assert np.allclose(stamped[0, 0, 3], 0.5 + 0.2 * np.array(wave), atol=1e-6)


def test_labels_stay_and_the_training_wave_is_the_weaker_one():
    task = picture_task()
    made = Sinusoid(strength=0.05, sent=0.2, waves=2).poison(task)
    assert (made.y == task.y[made.rows]).all()
    assert (task.y[made.rows] == task.target).all()
    assert np.abs(made.x - task.x[made.rows]).max() <= 0.05 + 1e-6


def test_no_wave_is_refused():
    with pytest.raises(UsageError):
        Sinusoid(sent=0.0).stamp(pictures(1)[0], PICTURES, Seed(0))
