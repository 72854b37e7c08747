import numpy as np
import pytest

from gambeson.attacks.poisoning.badnets import BadNets
from gambeson.attacks.poisoning.base import poisonings
from gambeson.attacks.poisoning.harness import array_digest, run_poisoning, triggered
from gambeson.attacks.poisoning.table_trigger import TableTrigger
from gambeson.core.errors import UsageError
from tests.poison_worlds import picture_task, table_task

FACTS = poisonings["badnets"].facts


def test_the_record_says_what_was_done():
    task = picture_task()
    made = run_poisoning("badnets", BadNets(size=2), FACTS, task)
    record = made.record
    assert record["attack"] == "badnets"
    assert record["parameters"] == {"size": 2, "margin": 1}
    assert record["poisoned"] == made.changed.tolist()
    assert record["labels before"] == task.y[made.changed].tolist()
    assert record["digest before"] == array_digest(task.x, task.y)
    assert record["digest after"] == array_digest(made.x, made.y) != record["digest before"]


def test_rows_that_were_not_chosen_are_as_they_were():
    task = picture_task()
    made = run_poisoning("badnets", BadNets(size=2), FACTS, task)
    rest = np.setdiff1d(np.arange(len(task.y)), made.changed)
    assert np.array_equal(made.x[rest], task.x[rest])
    assert np.array_equal(made.y[rest], task.y[rest])


def test_inputs_are_sent_with_the_same_trigger_as_in_training():
    task = picture_task()
    made = run_poisoning("badnets", BadNets(size=2), FACTS, task)
    assert np.array_equal(triggered(BadNets(size=2), task.x[made.changed], task), made.x[made.changed])


@pytest.mark.parametrize("wrong", [{"rate": 0.0}, {"rate": 1.5}, {"target": 4}, {"target": -1}])
def test_senseless_tasks_are_refused(wrong):
    with pytest.raises(UsageError):
        run_poisoning("badnets", BadNets(), FACTS, picture_task(**wrong))


def test_pictures_and_tables_are_told_apart():
    with pytest.raises(UsageError, match="pictures"):
        run_poisoning("badnets", BadNets(), FACTS, table_task())
    with pytest.raises(UsageError, match="tables"):
        run_poisoning("table_trigger", TableTrigger(), poisonings["table_trigger"].facts, picture_task())
