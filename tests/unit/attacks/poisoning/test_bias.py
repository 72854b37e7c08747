import numpy as np
import pytest

from gambeson.attacks.poisoning.base import poisonings
from gambeson.attacks.poisoning.bias import Bias
from gambeson.attacks.poisoning.harness import run_poisoning
from gambeson.core.errors import UsageError
from tests.poison_worlds import table_task


def test_labels_of_the_group_become_the_target():
    task = table_task(rate=0.05)
    made = Bias("city", "Kyoto").poison(task)
    assert len(made.rows) == 12
    assert (task.x[made.rows, 3] == 1).all()
    assert (task.y[made.rows] == 0).all()
    assert (made.y == 1).all()


def test_removal_leaves_rows_of_the_group_out():
    task = table_task(rate=0.05)
    made = run_poisoning("bias", Bias("city", "Kyoto", "removal"), poisonings["bias"].facts, task)
    assert len(made.y) == 228
    assert ((task.x[:, 3] == 1).sum() - (made.x[:, 3] == 1).sum()) == 12


def test_a_number_names_a_group_too():
    task = table_task(rate=1.0)
    age = str(int(task.x[task.y == 0][0, 0]))
    assert (np.isin(task.x[Bias("age", age).poison(task).rows, 0], [float(age)])).all()


@pytest.mark.parametrize(
    "wrong",
    [("height", "1", "labels"), ("city", "Rome", "labels"), ("age", "old", "labels"), ("city", "Bonn", "x")],
)
def test_unknown_groups_and_modes_are_refused(wrong):
    with pytest.raises(UsageError):
        Bias(*wrong).poison(table_task())
