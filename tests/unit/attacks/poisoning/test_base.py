import numpy as np
import pytest

from gambeson.attacks.poisoning.base import Changes, require_share, stamp_rows
from gambeson.core.errors import InsufficientEvidence, UsageError
from tests.poison_worlds import picture_task


def test_the_budget_is_the_rate_of_all_rows_and_at_least_one():
    assert picture_task(rate=0.1).budget == 24
    assert picture_task(rate=1e-6).budget == 1


def test_rows_are_drawn_among_those_allowed_and_no_more_than_the_budget():
    task = picture_task()
    rows = task.draw(task.y == 2)
    assert len(rows) == 24
    assert (task.y[rows] == 2).all()
    assert (np.diff(rows) > 0).all()


def test_no_row_to_draw_from_is_said():
    with pytest.raises(InsufficientEvidence, match="No row"):
        picture_task().draw(np.zeros(240, bool))


class Doubles:
    def stamp(self, x, schema, seed):
        return 2 * x


def test_stamped_rows_get_the_target():
    task = picture_task()
    made = stamp_rows(Doubles(), task, np.array([1, 4]))
    assert isinstance(made, Changes)
    assert made.y.tolist() == [1, 1]
    assert np.array_equal(made.x, 2 * task.x[[1, 4]])


@pytest.mark.parametrize("value", [0.0, 1.5, -1.0])
def test_a_share_is_above_0_and_at_most_1(value):
    with pytest.raises(UsageError, match="alpha"):
        require_share("alpha", value)
