import numpy as np
import pytest

from gambeson.attacks.poisoning.clean_label import CleanLabel
from gambeson.attacks.poisoning.pupil import answers, teach
from gambeson.core.errors import UsageError
from gambeson.core.reproduce import Seed
from tests.poison_worlds import PICTURES, picture_task, pictures


def test_the_pupil_no_longer_knows_the_rows_although_labels_are_right():
    task = picture_task()
    made = CleanLabel(eps=0.4, size=1).poison(task)
    pupil = teach(task.x, task.y, task.schema, seed=task.seed.child("surrogate"), build=task.build)
    before, after = ((answers(pupil.module, x).argmax(1) == 1).mean() for x in (task.x[made.rows], made.x))
    assert (task.y[made.rows] == 1).all()
    assert before > 0.9
    assert after < 0.2


def test_a_patch_stands_in_each_corner():
    x, _ = pictures(1)
    stamped = CleanLabel(size=2).stamp(x, PICTURES, Seed(0))[0, 0]
    changed = stamped != x[0, 0]
    assert changed[:2, :2].all()
    assert changed[:2, -2:].all()
    assert changed[-2:, :2].all()
    assert changed[-2:, -2:].all()
    assert not changed[2:6].any()
    assert np.array_equal(stamped[:2, :2], stamped[:2, -2:][:, ::-1])


def test_patches_that_do_not_fit_are_refused():
    with pytest.raises(UsageError):
        CleanLabel(size=5).stamp(pictures(1)[0], PICTURES, Seed(0))
