import numpy as np
import pytest

from gambeson.attacks.poisoning.label_flip import LabelFlip
from gambeson.attacks.poisoning.pupil import answers, teach
from gambeson.core.errors import UsageError
from tests.poison_worlds import picture_task


def test_random_flips_change_every_chosen_label_and_no_input():
    task = picture_task()
    made = LabelFlip().poison(task)
    assert (made.y != task.y[made.rows]).all()
    assert np.array_equal(made.x, task.x[made.rows])


def test_targeted_flips_take_rows_of_the_source_to_the_target():
    task = picture_task()
    made = LabelFlip("targeted", source=2).poison(task)
    assert (task.y[made.rows] == 2).all()
    assert (made.y == 1).all()


def test_the_surest_rows_get_the_least_likely_class():
    task = picture_task()
    made = LabelFlip("margin").poison(task)
    logits = answers(
        teach(task.x, task.y, task.schema, seed=task.seed.child("margin"), build=task.build).module, task.x
    )
    margins = logits[np.arange(240), task.y] - logits.min(axis=1)
    assert margins[made.rows].min() >= np.sort(margins)[-24] - 1e-5
    assert (made.y == logits[made.rows].argmin(axis=1)).all()


def test_an_unknown_mode_is_refused():
    with pytest.raises(UsageError, match="mode"):
        LabelFlip("sideways").poison(picture_task())
